/* Look inside: what each layer of the network makes of this very picture, and what changes when a pixel does. */

import { Bars } from "./bars.js";
import { GridCursor } from "./cursor.js";
import { paintDigit } from "./pixels.js";
import { Refusal, ask, pixelsAsPicture } from "./service.js";
import { Stages } from "./stages.js";
import { sayInside as say, share } from "./words.js";

const SIDE = 28;
const INK = 255;

export class Inside {
  #sentence;
  #open = true;
  #original = null; // the pixels of the drawing as the network saw them, or null for no drawing
  #pixels = null; // the same, in which somebody may have changed some
  #picture = null; // these as a blob, which is what is looked at
  #shown = null; // what the stages on the page are about
  #asking = false;
  #again = false;
  #pen = null; // what a pointer that is held down makes of pixels

  /** `sentence(refusal)` says what an error means. */
  constructor(sentence) {
    this.#sentence = sentence;
    this.#build();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
  }

  /** The drawing rests: `pixels` are what the network saw, or null for nothing. */
  rested(pixels) {
    const known = pixels && this.#original && pixels.every((level, i) => level === this.#original[i]);
    if (known) return this.opened(this.#open); // the same is said more than once, and somebody may be changing it already
    this.#original = pixels;
    this.#pen = null;
    this.#change(pixels && pixels.slice());
  }

  opened(open) {
    this.#open = open;
    if (open && this.#shown !== this.#picture) this.#look();
  }

  #build() {
    const make = (tag, className, parent, text = "") => {
      const made = parent.appendChild(document.createElement(tag));
      made.className = className;
      made.textContent = text;
      return made;
    };
    const root = document.getElementById("inside");
    this.empty = make("p", "notice", root, say("empty"));
    this.content = make("div", "inside-content", root);
    const top = make("div", "editor", this.content);
    const sheet = make("div", "sheet small-sheet", top);
    this.canvas = make("canvas", "pixels", sheet);
    Object.assign(this.canvas, { tabIndex: 0, width: SIDE, height: SIDE });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", say("editor"));
    const mark = make("div", "cursor", sheet);
    mark.hidden = true;
    const words = make("div", "editor-words", top);
    make("p", "", words, say("press"));
    this.verdict = make("p", "editor-verdict", words);
    this.verdict.setAttribute("aria-live", "polite");
    const list = make("ol", "bars", words);
    list.setAttribute("aria-label", say("bars"));
    this.bars = new Bars(list);
    this.reset = make("button", "button small", words, say("reset"));
    this.reset.type = "button";
    this.reset.addEventListener("click", () => {
      this.canvas.focus({ preventScroll: true });
      this.#change(this.#original.slice());
    });
    this.stages = new Stages(make("ol", "stages", this.content));
    this.content.hidden = true;
    this.#listen(mark);
  }

  #listen(mark) {
    const cell = (event) => {
      const area = this.canvas.getBoundingClientRect();
      const part = (at, start, length) => Math.min(SIDE - 1, Math.max(0, Math.floor((SIDE * (at - start)) / length)));
      return [part(event.clientX, area.left, area.width), part(event.clientY, area.top, area.height)];
    };
    const active = { passive: false };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (event.button > 0 || !this.#pixels) return;
      event.preventDefault();
      this.canvas.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId);
      const [x, y] = cell(event);
      this.#pen = this.#pixels[y * SIDE + x] > INK / 2 ? 0 : INK;
      this.#set(x, y, this.#pen);
    }, active);
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.#pen !== null) this.#set(...cell(event), this.#pen);
    });
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.canvas.addEventListener(kind, () => (this.#pen = null));
    }
    const toggle = (x, y) => this.#pixels && this.#set(x, y, this.#pixels[y * SIDE + x] > INK / 2 ? 0 : INK);
    new GridCursor(this.canvas, mark, { move() {}, space: toggle });
  }

  #set(x, y, level) {
    if (this.#pixels[y * SIDE + x] === level) return;
    const pixels = this.#pixels.slice();
    pixels[y * SIDE + x] = level;
    this.#change(pixels);
  }

  #change(pixels) {
    this.#pixels = pixels;
    this.#picture = pixels && pixelsAsPicture(pixels);
    this.#paint();
    if (this.#open) this.#look();
  }

  #paint() {
    if (this.#pixels) paintDigit(this.canvas, this.#pixels);
    this.stages.paint();
  }

  /** Ask for the newest picture; at most one question is open. */
  async #look() {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    const picture = this.#picture;
    this.empty.hidden = picture !== null;
    this.content.hidden = picture === null;
    this.#shown = picture;
    if (picture === null) return;
    this.#asking = true;
    try {
      const answer = await ask("/page/inside", picture);
      if (picture === this.#picture) this.#show(answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.verdict.textContent = error.away ? say("away") : this.#sentence(error);
      this.#shown = null;
    } finally {
      this.#asking = false;
    }
    if (this.#again) {
      this.#again = false;
      await this.#look();
    }
  }

  #show({ digit, confidence, probabilities, rejected, stages }) {
    this.reset.disabled = this.#pixels.every((level, i) => level === this.#original[i]);
    this.bars.show(probabilities, rejected ? null : digit);
    this.verdict.textContent = rejected ? say("rejected") : say("verdict", { digit, share: share(confidence) });
    this.stages.show(stages);
  }
}
