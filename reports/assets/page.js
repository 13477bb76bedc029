"use strict";
/* Draws the figures in the reader's colours, and makes tables sortable. No network, no storage. */
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const darkKey = read("dark-key");
  const darkly = window.matchMedia("(prefers-color-scheme: dark)");
  const touch = window.matchMedia("(pointer: coarse)");
  const plots = [...document.querySelectorAll(".plot")];
  const notes = [...document.querySelectorAll("details.note")]; /* explanations: printed, though folded on screen */
  const NARROW = 520;

  const config = (plot) => ({
    responsive: true,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "sendDataToCloud"],
    toImageButtonOptions: { format: "svg", filename: plot.id },
  });

  /* Swaps every colour of a figure for its dark counterpart; only under keys that hold colours. */
  const recolour = (value, key) => {
    if (typeof value === "string") return /color$/i.test(key) ? darkKey[value] ?? value : value;
    if (Array.isArray(value)) return value.map((entry) => recolour(entry, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, recolour(entry, name)]));
  };

  const draw = (plot, { dark, width }) => {
    const plain = read(plot.dataset.figure);
    const figure = dark ? recolour(plain, "") : plain;
    const room = width ?? plot.clientWidth;
    if (width) Object.assign(figure.layout, { width, autosize: false });
    if (touch.matches) figure.layout.dragmode = false; /* a finger on a figure scrolls the page */
    if (room < NARROW) {
      figure.layout.margin = { ...figure.layout.margin, l: 44, r: 6 };
      figure.layout.font = { ...figure.layout.font, size: 11 };
    }
    return Plotly.react(plot, figure.data, figure.layout, config(plot));
  };

  const drawAll = (how) => plots.forEach((plot) => draw(plot, how));
  const onScreen = () => drawAll({ dark: darkly.matches });
  onScreen();
  darkly.addEventListener("change", onScreen);
  window.addEventListener("beforeprint", () => {
    notes.forEach((note) => (note.open = true));
    plots.forEach((plot) => draw(plot, { dark: false, width: plot.parentElement.children.length > 2 ? 330 : 680 }));
  });
  window.addEventListener("afterprint", () => {
    notes.forEach((note) => (note.open = false));
    onScreen();
  });

  const keyOf = (row, column) => row.children[column].dataset.key;
  const compare = (one, other) => {
    if (one === "" || other === "") return (one === "") - (other === ""); /* what is missing comes last, either way */
    const numbers = [Number(one), Number(other)];
    return numbers.some(Number.isNaN) ? one.localeCompare(other, "en", { numeric: true }) : numbers[0] - numbers[1];
  };

  const sort = (table, head, column) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const order = [...body.rows].sort((one, other) => {
      const keys = [keyOf(one, column), keyOf(other, column)];
      return keys.includes("") || !down ? compare(...keys) : -compare(...keys);
    });
    body.append(...order);
  };

  for (const table of document.querySelectorAll("table")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (table.tBodies[0].rows.length < 2) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head, column));
    });
  }
})();
