/* Has the picture read while it changes: at most one request is in flight, the newest picture is sent next, and the pace
follows the server, so that many people can draw at once. */

import { Refusal, ask, serviceIsBack } from "./service.js";

const FIRST = 30; // milliseconds after the first change
const PAUSE = 80; // milliseconds between an answer and the next request, until the server says how long
const PATIENCE = 1.5; // … and at least so many times the time that the answer took: the network may be slow as well
const REPLACED = 60; // milliseconds that an answer may still take when the final picture waits behind it
const REST = 250; // milliseconds without a change, after which there is time for more than the answer
const BUSY = 700; // milliseconds until a server that has refused is asked again

export class Reader {
  #events;
  version = 0; // of the picture: counts its changes
  #dropped = 0; // answers to this version and older ones are not shown
  #answered = 0;
  #final = false;
  #flight = null;
  #timer = 0;
  #hurry = 0;
  #pause = PAUSE;
  #next = 0; // when the next request may be sent
  #rest = new AbortController();
  #away = false;

  /** `events` has

  picture()                  the newest picture, as a promise of a blob, or null
  answered(outcome, final)   {reading} or {refusal}; `final` if the picture has not changed since, and is finished
  rested(outcome, signal)    the same a quarter of a second later; `signal` tells when the picture changes
  away(), busy(), back()     the service does not answer, has too much to do, answers again */
  constructor(events) {
    this.#events = events;
  }

  /** The picture is being changed. */
  changed() {
    this.#touched(false);
    this.#plan(FIRST);
  }

  /** The picture is finished, for now: it is read at once. */
  settle() {
    this.#touched(true);
    if (this.#away) return;
    if (this.#flight) {
      const flight = this.#flight;
      clearTimeout(this.#hurry);
      this.#hurry = setTimeout(() => flight.abort(), REPLACED);
    } else {
      clearTimeout(this.#timer);
      this.#timer = 0;
      this.#send();
    }
  }

  /** There is no picture any more. */
  forget() {
    this.#touched(false);
    this.#dropped = this.#answered = this.version;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#flight?.abort();
  }

  #touched(final) {
    this.version++;
    this.#final = final;
    this.#rest.abort();
  }

  #plan(delay) {
    if (this.#flight || this.#timer || this.#away) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#send();
    }, Math.max(delay, this.#next - performance.now()));
  }

  async #send() {
    const version = this.version;
    const flight = (this.#flight = new AbortController());
    const start = performance.now();
    let outcome = null;
    try {
      const picture = await this.#events.picture();
      if (!picture) this.#answered = version;
      else outcome = { reading: await ask("/page/read", picture, flight.signal) };
    } catch (error) {
      if (error instanceof Refusal) outcome = { refusal: error };
      else if (!flight.signal.aborted) throw error;
    } finally {
      clearTimeout(this.#hurry);
      this.#flight = null;
    }
    this.#pace(performance.now() - start, outcome);
    if (outcome?.refusal?.away) return this.#wait();
    if (outcome?.refusal?.busy) {
      this.#events.busy();
      return this.#plan(BUSY * (1 + Math.random()));
    }
    if (outcome && version > this.#dropped && version > this.#answered) {
      this.#answered = version;
      const final = this.#final && version === this.version;
      this.#events.answered(outcome, final);
      if (final) this.#restAfter(outcome);
    }
    if (this.#answered < this.version) {
      if (this.#final) this.#send();
      else this.#plan(0);
    }
  }

  /** The server knows how many others draw, and sends the pause that lets it keep up with all of them. */
  #pace(latency, outcome) {
    this.#pause = outcome?.reading?.pause ?? this.#pause;
    this.#next = performance.now() + Math.max(this.#pause, PATIENCE * latency);
  }

  #restAfter(outcome) {
    const rest = (this.#rest = new AbortController());
    setTimeout(() => {
      if (!rest.signal.aborted) this.#events.rested(outcome, rest.signal);
    }, REST);
  }

  async #wait() {
    this.#away = true;
    this.#events.away();
    await serviceIsBack();
    this.#away = false;
    this.#events.back();
    if (this.#answered < this.version) this.#send();
  }
}
