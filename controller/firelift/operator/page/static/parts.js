// Small parts of the page. Text only ever becomes text: nothing that a status says is read as markup.

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null).map((child) => child instanceof Node ? child : String(child)));
  return made;
}

// What it comes to: good, bad, wait or work. Told by a shape and a word as well as by a colour.
export function kindOf(object) {
  const {Ready: ready, Stalled: stalled} = object.conditions;
  if (ready === "True") return "good";
  if (stalled === "True") return "bad";
  return ["Suspended", "AwaitingApproval"].includes(object.reason) || object.reason.startsWith("Waiting") ? "wait" : "work";
}

export function state(kind, text) {
  return element("span", {class: `state ${kind}`}, text);
}

export function table(caption, heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", {scope: "col"}, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element("div", {class: "table"}, element("table", {}, element("caption", {}, caption),
    element("thead", {}, head), element("tbody", {}, ...body)));
}

export function bar(share, text) {
  if (share === null) return text || "–";
  return element("span", {}, element("progress", {max: 1, value: share, "aria-label": text}), ` ${text}`);
}

export function time(text) {
  return text ? element("time", {datetime: text}, new Date(text).toLocaleString()) : "–";
}
