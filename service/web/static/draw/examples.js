/* Ready-made drawings: for people who want to see something move first, or who cannot draw. */

import { drawStroke } from "./strokes.js";
import { say } from "./words.js";

const STEP = 0.012; // of the side: how far the pen goes between two points
const SPEED = 3; // points a millisecond would be too fast to follow: this many a frame

/** Strokes as corners of a curve, in percent of the side: "x,y x,y …", with "|" between strokes. */
const DRAWINGS = [
  ["2", "31,32 38,21 52,18 65,25 66,39 55,54 40,68 30,80 46,79 60,78 74,79"],
  ["3", "31,25 44,17 60,19 66,31 57,43 45,47 60,50 69,62 63,76 47,82 30,76"],
  ["4", "58,17 48,34 37,50 28,60 45,60 60,60 75,59|62,40 61,58 60,72 59,86"],
  ["5", "68,19 52,19 38,20 36,33 34,46 48,42 62,47 68,60 61,75 46,82 29,77"],
  ["7", "27,22 42,22 58,21 72,21 64,38 55,56 48,70 43,84|38,52 50,51 63,50"],
  ["8", "63,27 50,18 38,25 40,38 52,47 65,58 66,73 52,82 37,76 36,62 49,50 61,40 64,28"],
  ["42", "28,26 22,40 15,54 26,55 35,55 44,54|36,43 36,56 35,66 35,76|57,36 64,27 74,27 80,36 76,48 66,61 57,74 68,73 77,73 86,74"],
  ["A", "50,16 42,36 34,56 25,80|50,16 58,36 66,56 75,80|34,58 46,57 56,57 67,58"],
];

const strokes = (text) => text.split("|").map((stroke) => smooth(stroke.split(" ").map((pair) => pair.split(",").map((n) => n / 100))));

/** Points close to each other on a Catmull-Rom curve through the corners. */
function smooth(corners) {
  const at = (i) => corners[Math.min(corners.length - 1, Math.max(0, i))];
  const points = [];
  for (let i = 0; i < corners.length - 1; i++) {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const steps = Math.max(2, Math.round(Math.hypot(c[0] - b[0], c[1] - b[1]) / STEP));
    for (let k = 0; k < steps; k++) {
      const t = k / steps;
      points.push([0, 1].map((j) => 0.5 * (2 * b[j] + (c[j] - a[j]) * t + (2 * a[j] - 5 * b[j] + 4 * c[j] - d[j]) * t * t + (3 * b[j] - a[j] - 3 * c[j] + d[j]) * t ** 3)));
    }
  }
  return [...points, corners.at(-1)].map(([x, y]) => [x, y, 1]);
}

/** Fill a list with a button for each drawing; `draw(strokes)` is called when one is pressed. */
export function offerExamples(list, draw) {
  const icons = [];
  for (const [name, text] of DRAWINGS) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button example" });
    button.setAttribute("aria-label", say("example", { name }));
    const icon = button.appendChild(document.createElement("canvas"));
    icon.width = icon.height = 72;
    icons.push([icon, strokes(text)]);
    button.addEventListener("click", () => draw(strokes(text)));
    list.appendChild(document.createElement("li")).append(button);
  }
  const paint = () => {
    for (const [icon, drawing] of icons) {
      const context = icon.getContext("2d");
      context.clearRect(0, 0, icon.width, icon.height);
      for (const stroke of drawing) drawStroke(context, icon.width, { points: stroke }, { ink: getComputedStyle(icon).color });
    }
  };
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}

/** Draw strokes on paper as a hand would; at once for people who want no motion. Stops if `signal` says so. */
export async function drawByItself(paper, drawing, signal) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const stroke of drawing) {
    for (const [i, point] of stroke.entries()) {
      if (signal.aborted) return;
      if (i === 0) paper.begin(...point);
      else paper.extend(...point);
      if (!still && i % SPEED === 0) await new Promise(requestAnimationFrame);
    }
    if (signal.aborted) return;
    paper.end();
  }
}
