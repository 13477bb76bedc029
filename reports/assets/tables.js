"use strict";
/* Makes tables sortable, filterable and copyable. */
const Tables = (() => {
  const said = document.getElementById("page-said");
  const LONG = 8;
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const compare = (one, other) => {
    if (one === "" || other === "") return (one === "") - (other === ""); /* what is missing comes last, either way */
    const numbers = [Number(one), Number(other)];
    return numbers.some(Number.isNaN) ? one.localeCompare(other, "en", { numeric: true }) : numbers[0] - numbers[1];
  };

  const sort = (table, head, column) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = [...table.tBodies[0].rows].map((row) => ({ row, key: row.children[column].dataset.key }));
    keyed.sort((one, other) => {
      const order = compare(one.key, other.key);
      return one.key === "" || other.key === "" || !down ? order : -order;
    });
    table.tBodies[0].append(...keyed.map(({ row }) => row));
    said.textContent = `Sorted by ${head.textContent.trim()}, ${down ? "descending" : "ascending"}.`;
  };

  const sortable = (table) => {
    if (table.tBodies[0].rows.length < 2) return;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.querySelector(".hidden")) return; /* a column of drawings: nothing to press, and its number is beside it */
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head, column));
    });
  };

  const filterable = (table, tools) => {
    const rows = [...table.tBodies[0].rows];
    if (rows.length <= LONG) return;
    const field = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const found = make("span", { className: "found" });
    tools.prepend(make("label", {}, "Filter ", field), found);
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word));
        row.classList.toggle("filtered", !fits);
        left += fits;
      }
      found.textContent = words.length ? `${left} of ${rows.length} rows` : "";
      said.textContent = found.textContent;
    });
  };

  /* Where the clipboard may not be written, as in some browsers from a file, the text is selected for the reader. */
  const copy = async (text, beside) => {
    beside.parentElement.querySelector("textarea.copy")?.remove();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { className: "copy", value: text, readOnly: true, rows: 6 });
      area.setAttribute("aria-label", "Text to copy");
      beside.after(area);
      area.focus();
      area.select();
      said.textContent = "Selected: press Ctrl+C to copy.";
      return;
    }
    said.textContent = "Copied.";
  };

  const copyButton = (name, text, beside) => {
    const button = make("button", { type: "button" }, name);
    button.addEventListener("click", async () => {
      await copy(typeof text === "function" ? text() : text, beside);
      if (said.textContent !== "Copied.") return;
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = name), 1500);
    });
    return button;
  };

  /* Says that a table goes on to the right where it does. */
  const hinted = (scroll) => {
    const hint = make("p", { className: "hint", hidden: true }, "This table goes on to the right →");
    hint.setAttribute("aria-hidden", "true");
    scroll.before(hint);
    const look = () => (hint.hidden = scroll.scrollWidth <= scroll.clientWidth + 1);
    new ResizeObserver(look).observe(scroll);
    look();
  };

  const enhance = (box) => {
    const table = box.querySelector("table");
    const tools = box.querySelector(".tools");
    sortable(table);
    if (tools) filterable(table, tools);
    const copies = box.querySelector("script.copies");
    if (copies) {
      const texts = Object.entries(JSON.parse(copies.textContent));
      tools.append(make("span", {}, "Copy as "), ...texts.map(([name, text]) => copyButton(name, text, tools)));
    }
    hinted(box.querySelector(".scroll"));
  };

  document.querySelectorAll(".table").forEach(enhance);
  return { make, enhance, copyButton };
})();
