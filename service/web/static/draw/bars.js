/* Ten bars, one for the probability of each digit. Each is a button: pressed, it asks what speaks for that digit. */

import { say, share } from "./words.js";

export class Bars {
  #items = [];

  constructor(list, pressed = null) {
    for (let digit = 0; digit < 10; digit++) {
      const item = document.createElement("li");
      const bar = item.appendChild(document.createElement(pressed ? "button" : "span"));
      bar.className = "bar";
      for (const part of ["digit", "track", "share"]) {
        bar.appendChild(document.createElement("span")).className = `bar-${part}`;
      }
      bar.children[0].textContent = digit;
      bar.children[1].appendChild(document.createElement("span")).className = "bar-fill";
      if (pressed) {
        bar.type = "button";
        bar.title = say("bar", { digit });
        bar.addEventListener("click", () => pressed(digit));
      }
      list.appendChild(item);
      this.#items.push(bar);
    }
    this.#press = Boolean(pressed);
    this.show(null);
  }

  #press;

  /** `probabilities` are ten numbers, or null for none; `best` is the digit to stress, or null. */
  show(probabilities, best = null) {
    this.#items.forEach((bar, digit) => {
      const p = probabilities ? probabilities[digit] : 0;
      bar.style.setProperty("--p", p.toFixed(4));
      bar.children[2].textContent = p >= 0.005 ? share(p) : "";
      bar.classList.toggle("best", digit === best);
      if (this.#press) bar.disabled = !probabilities;
    });
  }

  /** Mark the digit that is explained; null for none. */
  explained(digit) {
    this.#items.forEach((bar, k) => bar.setAttribute("aria-pressed", String(k === digit)));
  }
}
