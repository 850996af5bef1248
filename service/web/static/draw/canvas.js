/* The paper: people draw on it with mouse, finger or pen, and take strokes back. */

import { drawStroke, groups, png } from "./strokes.js";

const PICTURE = 160; // pixels: the side of the picture that is sent; the network sees 28 of them
const FAST = 0.0022; // sides of the paper per millisecond: a pen that runs faster draws no thinner
const ERASER = 32; // the bit in `buttons` of the far end of a pen

export class Paper {
  #canvas;
  #context;
  #strokes = [];
  #past = []; // what the strokes were before each change; strokes never change once they are finished
  #future = [];
  #live = null;
  #pointer = null;
  #last = null; // where the pointer was, and when
  #listener;

  /** `listener` has `touched()`, called when somebody begins to draw; `drawing()`, for every movement; and `finished()`,
  after every other change. */
  constructor(canvas, listener) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#listener = listener;
    const active = { passive: false };
    canvas.addEventListener("pointerdown", (event) => this.#down(event), active);
    canvas.addEventListener("pointermove", (event) => this.#move(event), active);
    canvas.addEventListener("pointerup", (event) => this.#up(event), active);
    canvas.addEventListener("pointercancel", (event) => this.#up(event), active);
    canvas.addEventListener("lostpointercapture", (event) => this.#up(event), active);
    // Browsers without touch-action would scroll or zoom; others open a menu after a long press.
    for (const kind of ["touchstart", "touchmove", "contextmenu"]) {
      canvas.addEventListener(kind, (event) => event.preventDefault(), active);
    }
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  get empty() {
    return this.#strokes.length === 0 && !this.#live;
  }

  get busy() {
    return this.#live !== null;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  get groups() {
    return groups(this.#all());
  }

  /** The picture that is sent, the same in every theme. */
  picture() {
    return png(this.#all(), PICTURE);
  }

  /** A part of it, given in pixels of the picture. */
  part(box) {
    return png(this.#all(), PICTURE, box.map((edge) => edge / PICTURE));
  }

  /** Width and height of the picture. */
  get size() {
    return [PICTURE, PICTURE];
  }

  begin(x, y, w = 1, erase = false) {
    this.#live = { points: [[x, y, w]], erase };
    drawStroke(this.#context, this.#canvas.width, this.#live, this.#colors());
    this.#listener.drawing();
  }

  extend(x, y, w = 1) {
    const { points } = this.#live;
    const [px, py] = points.at(-1);
    if (Math.hypot(x - px, y - py) < 0.002) return; // a pen that rests
    points.push([x, y, w]);
    drawStroke(this.#context, this.#canvas.width, this.#live, this.#colors(), { from: points.length - 1, tail: false });
    this.#listener.drawing();
  }

  end() {
    if (!this.#live) return;
    const strokes = [...this.#strokes, this.#live];
    this.#live = null;
    this.#change(strokes);
    this.redraw(); // without the seams of what was drawn piece by piece
  }

  undo() {
    this.#drop();
    if (this.#past.length === 0) return;
    this.#future.push(this.#strokes);
    this.#strokes = this.#past.pop();
    this.redraw();
    this.#listener.finished();
  }

  redo() {
    this.#drop();
    if (this.#future.length === 0) return;
    this.#past.push(this.#strokes);
    this.#strokes = this.#future.pop();
    this.redraw();
    this.#listener.finished();
  }

  clear() {
    this.#drop();
    if (this.#strokes.length > 0) this.#change([]);
    this.redraw();
  }

  redraw() {
    const side = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
    if (this.#canvas.width !== side) this.#canvas.width = this.#canvas.height = side;
    this.#context.clearRect(0, 0, side, side);
    const colors = this.#colors();
    for (const stroke of this.#all()) drawStroke(this.#context, side, stroke, colors);
  }

  #all() {
    return this.#live ? [...this.#strokes, this.#live] : this.#strokes;
  }

  #change(strokes) {
    this.#past.push(this.#strokes);
    this.#future = [];
    this.#strokes = strokes;
    this.#listener.finished();
  }

  /** Give up the stroke that is being drawn. */
  #drop() {
    this.#live = this.#pointer = null;
  }

  #colors() {
    return { ink: getComputedStyle(this.#canvas).color, paper: null };
  }

  #down(event) {
    if (this.#pointer !== null || event.button > 0 && !(event.buttons & ERASER)) return;
    event.preventDefault(); // no text is selected, and no mouse events follow a touch
    this.#canvas.focus({ preventScroll: true });
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#last = null;
    this.#listener.touched();
    this.end(); // whatever draws by itself
    const { x, y, w } = this.#point(event);
    this.begin(x, y, w, (event.buttons & ERASER) !== 0);
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    event.preventDefault();
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const { x, y, w } = this.#point(each);
      this.extend(x, y, w);
    }
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.end();
  }

  /** Where a pointer is, and how broad the line is there: as the pen presses, or thinner where the hand is fast. */
  #point(event) {
    const area = this.#canvas.getBoundingClientRect();
    const x = (event.clientX - area.left) / area.width;
    const y = (event.clientY - area.top) / area.height;
    if (event.pointerType === "pen" && event.pressure > 0) return { x, y, w: 0.55 + 0.9 * event.pressure };
    const last = this.#last ?? { x, y, w: 1, at: event.timeStamp };
    const speed = Math.hypot(x - last.x, y - last.y) / Math.max(1, event.timeStamp - last.at);
    const w = last.w + 0.2 * (1.08 - 0.3 * Math.min(1, speed / FAST) - last.w);
    this.#last = { x, y, w, at: event.timeStamp };
    return { x, y, w };
  }
}
