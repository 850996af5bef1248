/* Strokes as vectors: how they are drawn in any size, and how many separate groups they form.

A stroke is {points: [[x, y, w], …], erase}. x and y run from 0 to 1 over the paper; w is the width of the pen there, as
a multiple of the usual one. */

/** The usual width of the pen, as a share of the side of the paper. */
export const PEN = 0.062;

const SEPARATE = 0.025; // of the side: strokes further apart, seen from above, may belong to two digits

/** Draw one stroke, from its point number `from` on. Curves run through the middles between points: quadratic Béziers
with the points themselves as controls. */
export function drawStroke(context, side, { points, erase }, colors, { from = 0, tail = true } = {}) {
  context.strokeStyle = context.fillStyle = erase ? colors.paper : colors.ink;
  context.globalCompositeOperation = erase && !colors.paper ? "destination-out" : "source-over";
  if (erase && !colors.paper) context.strokeStyle = context.fillStyle = "#000";
  context.lineCap = context.lineJoin = "round";
  const width = (i) => side * PEN * (erase ? 1.5 : 1) * points[i][2];
  const x = (i) => side * points[i][0];
  const y = (i) => side * points[i][1];
  if (from === 0) {
    context.beginPath();
    context.arc(x(0), y(0), width(0) / 2, 0, 2 * Math.PI);
    context.fill();
  }
  const last = points.length - 1;
  for (let i = Math.max(1, from); i <= last; i++) {
    const start = Math.max(0, i - 2); // the curve around point i − 1 begins in the middle before it
    context.lineWidth = (width(i) + width(i - 1)) / 2;
    context.beginPath();
    context.moveTo((x(start) + x(i - 1)) / 2, (y(start) + y(i - 1)) / 2);
    context.quadraticCurveTo(x(i - 1), y(i - 1), (x(i - 1) + x(i)) / 2, (y(i - 1) + y(i)) / 2);
    if (tail && i === last) context.lineTo(x(i), y(i));
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
}

/** How many groups the strokes form from left to right, with clear paper between them. */
export function groups(strokes) {
  const spans = strokes
    .filter((stroke) => !stroke.erase)
    .map(({ points }) => [Math.min(...points.map((p) => p[0])), Math.max(...points.map((p) => p[0]))])
    .sort((a, b) => a[0] - b[0]);
  let count = 0;
  let right = -1;
  for (const [left, end] of spans) {
    if (left - right > PEN + SEPARATE) count++;
    right = Math.max(right, end);
  }
  return count;
}

/** Black strokes on white, whatever the theme, as a PNG. `box` is the part of the paper that is wanted, in shares of it. */
export function png(strokes, side, box = [0, 0, 1, 1]) {
  const canvas = document.createElement("canvas");
  const extent = Math.max(box[2] - box[0], box[3] - box[1]);
  const scale = side / extent;
  canvas.width = Math.max(1, Math.round((box[2] - box[0]) * scale));
  canvas.height = Math.max(1, Math.round((box[3] - box[1]) * scale));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(-box[0] * scale, -box[1] * scale);
  for (const stroke of strokes) drawStroke(context, scale, stroke, { ink: "#000", paper: "#fff" });
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
