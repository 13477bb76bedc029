"use strict";
/* Opens all about an arm: its difference from the baseline, spec, curves and seeds. */
(() => {
  const { make } = Tables;
  const { look } = Figures;
  const known = Figures.read("arms-data");
  const dialog = document.getElementById("arm-panel");
  const body = dialog.querySelector(".body");
  const title = dialog.querySelector("h2");
  let origin = null;
  let again = () => {};

  /* The baseline's spec with an arm's steps applied: [path, value] sets, [path] takes away. */
  const specOf = (arm) => {
    const spec = structuredClone({ spec: known.spec });
    for (const [path, ...value] of known.arms[arm].patch) {
      const way = ["spec", ...path];
      const last = way.pop();
      const holder = way.reduce((one, key) => one[key], spec);
      if (value.length) holder[last] = structuredClone(value[0]);
      else delete holder[last];
    }
    return spec.spec;
  };

  const PLAIN = /^[A-Za-z_][A-Za-z0-9_./-]*$/;
  const RESERVED = /^(true|false|null|yes|no|on|off|y|n)$/i;
  const scalar = (value) => {
    if (typeof value !== "string") return value === null ? "null" : String(value);
    if (PLAIN.test(value) && !RESERVED.test(value)) return value;
    return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (sign) => "\\u" + sign.charCodeAt(0).toString(16).padStart(4, "0"));
  };
  const simple = (value) => value === null || typeof value !== "object";
  const flat = (value) => {
    if (simple(value)) return scalar(value);
    if (Array.isArray(value)) return `[${value.map(flat).join(", ")}]`;
    return `{${Object.entries(value).map(([key, entry]) => `${scalar(key)}: ${flat(entry)}`).join(", ")}}`;
  };
  const short = (value) => simple(value) || (Object.values(value).every(simple) && flat(value).length < 90);
  const yaml = (value, indent = "") => {
    if (Array.isArray(value)) {
      return value.map((entry) => `${indent}- ${short(entry) ? flat(entry) : yaml(entry, `${indent}  `).trimStart()}`).join("\n");
    }
    const line = ([key, entry]) => `${indent}${scalar(key)}:${short(entry) ? ` ${flat(entry)}` : `\n${yaml(entry, `${indent}  `)}`}`;
    return Object.entries(value).map(line).join("\n");
  };

  const section = (name, ...parts) => make("section", {}, make("h3", {}, name), ...parts);

  const table = (caption, heads, rows) => {
    const head = make("tr", {}, ...heads.map((name) => Object.assign(make("th", {}, name), { scope: "col" })));
    const cell = (value, column) => {
      const element = make(column ? "td" : "th", {}, value === null || value === "" ? "–" : String(value));
      if (!column) element.scope = "row";
      element.dataset.key = value ?? "";
      return element;
    };
    const lines = rows.map((row) => make("tr", {}, ...row.map(cell)));
    const caught = make("caption", {}, caption);
    const scroll = make("div", { className: "scroll", tabIndex: 0 }, make("table", {}, caught, make("thead", {}, head), make("tbody", {}, ...lines)));
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `Table: ${caption}`);
    return make("div", { className: "table" }, scroll);
  };

  const told = (value) => (value === null ? "nothing" : simple(value) ? String(value) : flat(value));
  const percent = (value) => (value === null ? null : `${(100 * value).toFixed(2)}%`);
  const FORMS = { val_accuracy: ["Validation", percent], train_accuracy: ["Training", percent], test_accuracy: ["Test", percent], train_seconds: ["Time", (value) => (value === null ? null : `${Number(value.toPrecision(3))} s`)] };

  const seeds = (trials) => {
    const kept = known.columns.map((name, index) => [name, index]).filter(([, index]) => trials.some((row) => row[index] !== null && row[index] !== ""));
    const heads = kept.map(([name]) => FORMS[name]?.[0] ?? name[0].toUpperCase() + name.slice(1));
    return table("The trials of this arm", heads, trials.map((row) => kept.map(([name, index]) => (FORMS[name] ? FORMS[name][1](row[index]) : row[index]))));
  };

  const curves = (own) => {
    const phases = [...new Set(own.map((curve) => curve.phase))];
    const nth = Object.fromEntries(phases.map((phase) => [phase, 0]));
    const data = own.map((curve) => {
      const index = phases.indexOf(curve.phase);
      const order = nth[curve.phase]++;
      const x = curve.x ?? curve.y.map((_, epoch) => epoch + 1);
      const line = { color: look.series[index % look.series.length], dash: look.dashes[order % look.dashes.length], width: 1.6 };
      return { type: "scatter", mode: x.length > 1 ? "lines" : "markers", x, y: curve.y, line, marker: { color: line.color }, name: `${curve.phase}, seed ${curve.seed}`, hovertemplate: "epoch %{x}: %{y:.2%}" };
    });
    const longest = Math.max(...data.map((line) => line.x.at(-1)));
    const axis = { linecolor: look.faint, tickcolor: look.faint, gridcolor: look.grid, ticks: "outside", ticklen: 4, zeroline: false, showline: true, automargin: true };
    const layout = {
      height: 300, font: { family: look.font, size: 12.5, color: look.ink }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 52, r: 12, t: 8, b: 44 }, showlegend: own.length <= 12, hovermode: "closest", legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      hoverlabel: { bgcolor: look.surface, bordercolor: look.faint, font: { color: look.ink } },
      xaxis: { ...axis, showgrid: false, tickformat: ",d", dtick: longest <= 12 ? 1 : undefined, title: { text: "epoch", font: { color: look.muted, size: 13 } } }, yaxis: { ...axis, tickformat: ".1~%" },
    };
    const plot = make("div", { className: "curves" });
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", "Validation accuracy by epoch, a line a trial; the last values are in the table of trials.");
    again = () => Figures.show(plot, { data, layout });
    return plot;
  };

  const open = (arm, from) => {
    const own = known.arms[arm];
    if (!own) return;
    origin = from ?? document.activeElement;
    again = () => {};
    title.textContent = own.label;
    const costs = Object.entries(own.costs).map(([name, value]) => name.startsWith("latency_") ? `${value.toPrecision(3)} ms for ${name.slice(8)}`
      : `${Math.round(value).toLocaleString("en")} ${name === "macs" ? "MACs" : name === "params" ? "parameters" : name}`);
    body.replaceChildren(make("p", { className: "kicker" }, [`arm ${arm}`, own.status === "run" ? "" : `${own.status}: ${own.reason}`, ...costs].filter(Boolean).join(" · ")));
    if (arm === known.baseline) body.append(section("Against the baseline", make("p", {}, "This is the baseline.")));
    else if (own.diff.length) body.append(section("Against the baseline", table("What differs from the baseline", ["Field", "Baseline", "This arm"], own.diff.map(([path, base, value]) => [path, told(base), told(value)]))));
    else body.append(section("Against the baseline", make("p", {}, "The run records no field that differs.")));
    if (own.curves.length) body.append(section("Learning curves by seed", curves(own.curves)));
    if (known.every > 1) body.append(make("p", { className: "remark" }, `Every ${known.every}th epoch; all are in epochs.csv.`));
    if (own.trials.length) body.append(section("Trials", seeds(own.trials)));
    const text = `${yaml(specOf(arm))}\n`;
    const tools = make("div", { className: "tools" });
    tools.append(Tables.copyButton("Copy as YAML", text, tools));
    const spec = make("pre", { tabIndex: 0 }, text);
    spec.setAttribute("role", "region");
    spec.setAttribute("aria-label", "Spec as YAML");
    body.append(section("Spec", make("div", {}, tools, spec)));
    body.querySelectorAll(".table").forEach(Tables.enhance);
    dialog.showModal();
    dialog.scrollTop = 0;
    title.focus();
    again();
  };

  dialog.querySelector("button.close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => origin?.isConnected && origin.focus());
  Figures.onOpen(open);
  Figures.onColour(() => dialog.open && again());

  document.addEventListener("click", (event) => {
    const row = event.target.closest("main tr[data-arm]");
    if (!row || event.target.closest("a, summary, input") || String(window.getSelection())) return;
    const button = event.target.closest("button");
    if (button && !button.classList.contains("arm")) return;
    open((button ?? row).dataset.arm, button ?? row.querySelector("button.arm"));
  });
})();
