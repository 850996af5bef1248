/* Small pictures of numbers: gray for ink, two colors for what speaks for something and what against it. */

/** The color that a CSS variable stands for, as [red, green, blue]. */
export function color(name) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

/** The colors of the theme that is on. */
export const theme = () => ({
  paper: color("--sheet"),
  ink: color("--sheet-ink"),
  for: color("--validation"),
  against: color("--train"),
});

/** [red, green, blue] a share of the way from one color to another. */
export const between = (from, to, way) => from.map((part, i) => part + (to[i] - part) * way);

/** Fill a canvas with width × height pixels, of which `at(i)` gives the color. */
export function paint(canvas, width, height, at) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [red, green, blue] = at(i);
    image.data.set([red, green, blue, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** 784 levels of ink; with `saliency`, 784 numbers, what speaks for a digit lies over it in one color, and what against
it in the other. */
export function paintDigit(canvas, pixels, saliency = null) {
  const colors = theme();
  const most = saliency ? saliency.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9) : 1;
  paint(canvas, 28, 28, (i) => {
    const ink = between(colors.paper, colors.ink, (pixels[i] / 255) * (saliency ? 0.45 : 1));
    if (!saliency) return ink;
    const strength = (Math.abs(saliency[i]) / most) ** 0.7;
    return between(ink, saliency[i] > 0 ? colors.for : colors.against, strength < 0.15 ? 0 : strength);
  });
}
