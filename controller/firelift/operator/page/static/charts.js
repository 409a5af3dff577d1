// Charts of the last hour: a line for the values, a dashed one for each limit, and the same in words.

import {drawn, element} from "./parts.js";

const WIDTH = 300, HEIGHT = 100;

// Points are [seconds, value]; a gap of over a minute breaks the line, because nothing is known of it.
export function chart(title, told, points, limits = {}) {
  const caption = element("figcaption", {}, title, " ", element("small", {}, told));
  return element("figure", {}, caption, drawing(title, told, points, Object.entries(limits)));
}

function drawing(title, told, points, bounds) {
  const values = [...points.map(([, value]) => value), ...bounds.map(([, limit]) => limit), 0];
  const top = Math.max(...values) * 1.1 || 1, bottom = Math.min(...values);
  const y = (value) => HEIGHT - (HEIGHT * (value - bottom)) / (top - bottom);
  const from = points.length ? points[0][0] : 0, until = points.length ? points[points.length - 1][0] : 1;
  const x = (seconds) => (WIDTH * (seconds - from)) / Math.max(until - from, 60);
  return drawn("svg", {class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${told}`},
    drawn("line", {class: "base", x1: 0, x2: WIDTH, y1: y(0), y2: y(0)}),
    ...bounds.map(([, limit]) => drawn("line", {class: "limit", x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit)})),
    drawn("path", {class: "value", d: path(points, x, y)}));
}

function path(points, x, y) {
  return points.map(([seconds, value], index) => {
    const gap = index === 0 || seconds - points[index - 1][0] > 60;
    return `${gap ? "M" : "L"}${x(seconds).toFixed(1)},${y(value).toFixed(1)}`;
  }).join("");
}
