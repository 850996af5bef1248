/* The answer: the digit, how sure the network is, ten bars, and what the network saw. */

import { Bars } from "./bars.js";
import { paintDigit } from "./pixels.js";
import { bytes, pixelsAsPicture } from "./service.js";
import { known, say, share } from "./words.js";

const SURE = 0.75; // below, the answer is said to be unsure
const LONG = 9; // characters of several digits, beyond which they are written smaller
const element = (id) => document.getElementById(id);

/** What to say about an error, in the reader's language where there are words for it. */
export function sentence({ kind, message }) {
  const special = [
    [/digits side by side/, "error.several"],
    [/HEIC|HEIF/, "error.heic"],
  ].find(([pattern]) => pattern.test(message))?.[1];
  const key = special ?? `error.${kind}`;
  return known(key) ? say(key, { sentence: message.charAt(0).toUpperCase() + message.slice(1) }) : message;
}

export class Answer {
  #bars;
  pixels = null; // the picture as the network saw it; null if there is none
  #saliency = null;
  #explained = null;
  reading = null;

  /** `explain(digit)` is called when somebody wants to know what speaks for a digit. */
  constructor(explain) {
    this.#bars = new Bars(element("bars"), (digit) => {
      element("show-saliency").checked = true;
      explain(digit);
    });
    element("show-saliency").addEventListener("change", () => this.#see());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#see());
    this.clear();
  }

  /** Nothing is drawn. */
  clear() {
    this.reading = this.pixels = null;
    this.#state("empty", "", say("empty"));
    this.#bars.show(null);
    this.#unexplained();
    this.announce("");
  }

  /** What the network has read. */
  show(reading) {
    this.reading = reading;
    const { digit, confidence, probabilities, rejected } = reading;
    if (rejected) {
      this.#state("rejected", "?", say("rejected", { share: share(reading.digitness) }));
    } else if (confidence < SURE) {
      const second = probabilities.indexOf(Math.max(...probabilities.filter((_, k) => k !== digit)));
      this.#state("unsure", digit, say("unsure", { digit, share: share(confidence), second }));
    } else {
      this.#state("sure", digit, say("sure", { share: share(confidence) }));
    }
    this.#bars.show(probabilities, rejected ? null : digit);
    if (reading.pixels) this.pixels = bytes(reading.pixels);
    this.#unexplained();
    this.#origin(reading.version);
  }

  /** No answer, but a reason. */
  refuse(refusal) {
    this.reading = null;
    this.#state("rejected", "?", sentence(refusal));
    this.#bars.show(null);
    this.pixels = null;
    this.#unexplained();
  }

  /** Several digits, of which one is chosen. */
  several(digits, chosen) {
    this.reading = digits[chosen];
    this.#state("several", digits.map((each) => (each.rejected ? "?" : each.digit)).join(" "), say("several", { count: digits.length }));
    this.#bars.show(this.reading.probabilities, this.reading.rejected ? null : this.reading.digit);
    this.pixels = null;
    this.#unexplained();
    this.#origin(this.reading.version);
  }

  /** Which pixels speak for a digit. */
  explain({ explained, saliency, pixels }) {
    this.#explained = explained;
    this.#saliency = new Float32Array(bytes(saliency).buffer);
    this.pixels = bytes(pixels);
    this.#see();
  }

  /** The same as a picture, to ask about again. */
  get seen() {
    return this.pixels && pixelsAsPicture(this.pixels);
  }

  /** Say the answer to people who do not see it; without words, the one that is shown. */
  announce(text = null) {
    element("announcement").textContent = text ?? this.#spoken();
  }

  #spoken() {
    if (this.reading && !this.reading.rejected && element("answer").dataset.state !== "several") {
      return say("announce", { digit: this.reading.digit, percent: Math.min(99, Math.floor(this.reading.confidence * 100)) });
    }
    const digit = element("answer").dataset.state === "several" ? `${element("digit").textContent}. ` : "";
    return digit + element("verdict").textContent;
  }

  #state(state, digit, words) {
    element("answer").dataset.state = state;
    element("digit").textContent = digit;
    element("verdict").textContent = words;
    element("digit").classList.toggle("long", String(digit).length > LONG);
    if (state === "empty") element("origin").hidden = true;
  }

  #origin(version) {
    const link = element("card");
    link.href = `/card/${encodeURIComponent(version)}`;
    link.textContent = version === "pretrained" ? say("pretrained") : say("version", { version });
    element("origin").hidden = false;
  }

  #unexplained() {
    this.#saliency = this.#explained = null;
    this.#see();
  }

  #see() {
    const shown = element("show-saliency").checked && this.#saliency;
    element("seen").classList.toggle("nothing", !this.pixels);
    if (this.pixels) paintDigit(element("seen"), this.pixels, shown ? this.#saliency : null);
    this.#bars.explained(shown ? this.#explained : null);
    element("legend").hidden = !shown;
    if (!shown) return;
    element("legend-for").textContent = say("for", { digit: this.#explained });
    element("legend-against").textContent = say("against", { digit: this.#explained });
  }
}
