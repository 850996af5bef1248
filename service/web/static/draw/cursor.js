/* A square that keys move over a grid of 28 × 28 cells: the way to draw without a pointer. */

const CELLS = 28;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class GridCursor {
  #mark;
  #x = CELLS / 2;
  #y = 6;

  /** `target` takes the keys. `actions` has move(x, y), space(x, y), erase(x, y) and place(x, y), a sentence that says
  where the cursor is; `mark` is the element that shows it. */
  constructor(target, mark, actions) {
    this.#mark = mark;
    this.#place();
    target.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const [x, y] = [this.#x, this.#y];
      if (MOVES[event.key]) {
        const step = event.shiftKey ? 4 : 1;
        const [across, down] = MOVES[event.key];
        this.#x = Math.min(CELLS - 1, Math.max(0, x + step * across));
        this.#y = Math.min(CELLS - 1, Math.max(0, y + step * down));
        this.#place();
        actions.move(this.#x, this.#y);
      } else if (event.key === " " || event.key === "Enter") {
        if (!event.repeat) actions.space(x, y);
      } else if (event.key === "Backspace" && actions.erase) {
        actions.erase(x, y);
      } else {
        return;
      }
      event.preventDefault();
      mark.hidden = false;
    });
    target.addEventListener("pointerdown", () => (mark.hidden = true));
    target.addEventListener("blur", () => (mark.hidden = true));
    target.addEventListener("focus", () => (mark.hidden = !target.matches(":focus-visible")));
  }

  #place() {
    this.#mark.style.left = `${(100 * this.#x) / CELLS}%`;
    this.#mark.style.top = `${(100 * this.#y) / CELLS}%`;
  }
}

/** The middle of a cell, from 0 to 1. */
export const middle = (cell) => (cell + 0.5) / CELLS;
