/* "It was a …": ten buttons that tell the service which digit was really drawn. */

import { sentence } from "./answer.js";
import { Refusal, ask } from "./service.js";
import { say } from "./words.js";

export class Feedback {
  #panel = document.getElementById("feedback");
  #said = document.getElementById("feedback-said");
  #buttons = [];
  #about = null;

  constructor() {
    const list = document.getElementById("feedback-digits");
    for (let digit = 0; digit < 10; digit++) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button", textContent: digit });
      button.setAttribute("aria-label", say("it_was", { digit }));
      button.addEventListener("click", () => this.#send(digit));
      list.appendChild(document.createElement("li")).append(button);
      this.#buttons.push(button);
    }
    this.about(null);
  }

  /** What feedback is about: {picture(), reply_id}; null if there is nothing. */
  about(answer) {
    this.#about = answer;
    this.#said.textContent = "";
    this.#able(answer !== null);
  }

  #able(able) {
    this.#panel.classList.toggle("unable", !able);
    for (const button of this.#buttons) {
      button.disabled = !able;
      button.setAttribute("aria-pressed", "false");
    }
  }

  async #send(digit) {
    const about = this.#about;
    const query = new URLSearchParams({ digit, reply_id: about.reply_id ?? "" });
    this.#able(false);
    this.#buttons[digit].setAttribute("aria-pressed", "true");
    let words;
    try {
      const { added } = await ask(`/page/feedback?${query}`, await about.picture());
      words = say(added ? "thanks" : "thanks_again", { digit });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      words = error.away ? say("away_feedback") : sentence(error);
      if (this.#about === about) this.#able(true);
    }
    if (this.#about === about) this.#said.textContent = words;
  }
}
