"use strict";
/* Draws the figures in the reader's colours; switches variants; opens an arm from its point; downloads. No network. */
const Figures = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const look = read("look-data");
  const darkly = window.matchMedia("(prefers-color-scheme: dark)");
  const touch = window.matchMedia("(pointer: coarse)");
  const said = document.getElementById("page-said");
  const NARROW = 520;
  const LONG = 9; /* characters of a label that stands beside a point only where there is room */
  const openers = []; /* what is done with the id of an arm whose point was chosen */

  const config = {
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "sendDataToCloud", "toImage"],
  };

  /* Swaps every colour of a figure for its dark counterpart; only under keys that hold colours. */
  const recolour = (value, key) => {
    if (typeof value === "string") return /color$/i.test(key) ? look.dark[value] ?? value : value;
    if (Array.isArray(value)) return value.map((entry) => recolour(entry, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, recolour(entry, name)]));
  };

  const show = (plot, plain, { dark = darkly.matches, width } = {}) => {
    const figure = dark ? recolour(plain, "") : { data: plain.data, layout: { ...plain.layout } };
    /* A figure may name the least width at which its labels stand apart; where there is less, it scrolls. */
    const across = width ?? (figure.layout.meta?.least > plot.clientWidth ? figure.layout.meta.least : undefined);
    if (across) Object.assign(figure.layout, { width: across, autosize: false });
    plot.classList.toggle("wider", across > plot.clientWidth && !width);
    if (touch.matches) figure.layout.dragmode = false; /* a finger on a figure scrolls the page */
    if ((width ?? plot.clientWidth) < NARROW) {
      figure.layout.margin = { ...figure.layout.margin, l: 44, r: Math.max(6, figure.layout.margin.r - 8) };
      figure.layout.font = { ...figure.layout.font, size: 11 };
      figure.data = figure.data.map((trace) =>
        trace.mode === "markers+text" ? { ...trace, text: trace.text.map((tag) => (tag.length > LONG ? "" : tag)) } : trace
      );
    }
    return Plotly.react(plot, figure.data, figure.layout, config);
  };

  const plots = [...document.querySelectorAll(".plot")];
  const plainOf = (plot) => read(plot.dataset.figure);
  const visible = () => plots.filter((plot) => plot.closest("[hidden]") === null);
  const drawn = new Set();

  const draw = (plot, how) => {
    const plain = plainOf(plot);
    show(plot, plain, how);
    if (drawn.has(plot)) return;
    drawn.add(plot);
    if (plain.data.some((trace) => trace.customdata)) openFrom(plot, plain);
  };

  /* A click opens a point's arm; so do the arrow keys, which go from arm to arm, and Enter. */
  const openFrom = (plot, plain) => {
    const points = plain.data.flatMap((trace, curve) =>
      (trace.customdata ?? []).map((arm, point) => ({ arm, curve, point })).filter((entry) => entry.arm)
    );
    const x = (entry) => plain.data[entry.curve].x[entry.point];
    points.sort((one, other) => (x(one) > x(other)) - (x(one) < x(other)));
    let at = -1;
    plot.on("plotly_click", (event) => {
      const arm = event.points[0].customdata;
      if (typeof arm === "string" && arm) openers.forEach((open) => open(arm, plot));
    });
    plot.tabIndex = 0;
    plot.setAttribute("aria-label", `${plot.getAttribute("aria-label")} Arrow keys go from arm to arm; Enter opens one.`);
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step && points.length) {
        at = at < 0 ? (step > 0 ? 0 : points.length - 1) : (at + step + points.length) % points.length;
        const { curve, point } = points[at];
        Plotly.Fx.hover(plot, [{ curveNumber: curve, pointNumber: point }]);
        const text = plain.data[curve].hovertext?.[point] ?? points[at].arm;
        said.textContent = new DOMParser().parseFromString(text.replaceAll("<br>", ". "), "text/html").body.textContent;
        event.preventDefault();
      } else if (event.key === "Enter" && at >= 0) {
        openers.forEach((open) => open(points[at].arm, plot));
      } else if (event.key === "Escape") Plotly.Fx.unhover(plot);
    });
  };

  const onScreen = () => visible().forEach((plot) => draw(plot));
  onScreen();
  darkly.addEventListener("change", onScreen);

  for (const radio of document.querySelectorAll("figure .switch input")) {
    radio.addEventListener("change", () => {
      const figure = radio.closest("figure");
      for (const variant of figure.querySelectorAll("[data-variant]")) variant.hidden = variant.dataset.variant !== radio.value;
      onScreen();
      said.textContent = `${radio.closest("fieldset").querySelector("legend").textContent}: ${radio.parentElement.textContent.trim()}`;
    });
  }

  /* On paper: light, as wide as the page, and with what is folded on screen but explains. */
  const notes = [...document.querySelectorAll("details.note")];
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = notes.filter((note) => !note.open);
    opened.forEach((note) => (note.open = true));
    visible().forEach((plot) => draw(plot, { dark: false, width: plot.parentElement.children.length > 2 ? 330 : 680 }));
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((note) => (note.open = false));
    onScreen();
  });

  const save = (name, kind, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  /* One drawing of all panels, side by side, in the light colours, whatever the reader's are. */
  const drawing = async (figure) => {
    const own = visible().filter((plot) => figure.contains(plot));
    const width = own.length > 1 ? 420 : 760;
    const parts = [];
    for (const plot of own) {
      const plain = plainOf(plot);
      const { height } = plain.layout;
      const options = { format: "svg", width, height, imageDataOnly: true };
      const text = await Plotly.toImage(plain, options);
      const root = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      root.setAttribute("x", parts.length * width);
      parts.push({ height, text: new XMLSerializer().serializeToString(root) });
    }
    const size = `width="${width * parts.length}" height="${Math.max(...parts.map((part) => part.height))}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${parts.map((part) => part.text).join("")}</svg>`;
  };

  for (const button of document.querySelectorAll("figure [data-download]")) {
    button.addEventListener("click", async () => {
      const figure = button.closest("figure");
      if (button.dataset.download === "csv") save(`${figure.dataset.name}.csv`, "text/csv", read(`${figure.dataset.name}-csv`));
      else save(`${figure.dataset.name}.svg`, "image/svg+xml", await drawing(figure));
    });
  }

  return { look, read, show, onOpen: (open) => openers.push(open), onColour: (again) => darkly.addEventListener("change", again) };
})();
