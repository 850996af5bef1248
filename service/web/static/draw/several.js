/* Several digits in one picture: boxes over it, and a button for each, in reading order. */

import { say } from "./words.js";

const MARGIN = 0.12; // of the size of a box: how much around it is read with it

export class Several {
  #boxes;
  #choose;

  /** `boxes` is the layer over the paper; `choose(index)` is called when somebody chooses a digit. */
  constructor(boxes, choose) {
    this.#boxes = boxes;
    this.#choose = choose;
  }

  /** Show digits that were found in a picture of `size`, which is shown as broad or as high as the paper. */
  show(digits, [width, height], chosen) {
    this.hide();
    const side = Math.max(width, height);
    const [across, down] = [(side - width) / 2, (side - height) / 2];
    const share = (length) => `${(100 * length) / side}%`;
    digits.forEach(({ box: [left, top, right, bottom], digit, rejected }, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "box";
      button.setAttribute("aria-pressed", String(index === chosen));
      button.setAttribute("aria-label", rejected ? say("box_rejected") : say("box", { digit }));
      Object.assign(button.style, {
        left: share(left + across),
        top: share(top + down),
        width: share(right - left),
        height: share(bottom - top),
      });
      button.appendChild(document.createElement("span")).textContent = rejected ? "?" : digit;
      button.addEventListener("click", () => this.#choose(index));
      this.#boxes.append(button);
    });
    this.#boxes.hidden = false;
  }

  chosen(index) {
    [...this.#boxes.children].forEach((box, k) => box.setAttribute("aria-pressed", String(k === index)));
  }

  hide() {
    this.#boxes.replaceChildren();
    this.#boxes.hidden = true;
  }
}

/** A box with some of its surroundings, within a picture of `size`. */
export function withMargin([left, top, right, bottom], [width, height]) {
  const margin = MARGIN * Math.max(right - left, bottom - top);
  return [Math.max(0, left - margin), Math.max(0, top - margin), Math.min(width, right + margin), Math.min(height, bottom + margin)];
}
