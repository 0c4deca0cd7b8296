// Progress of a recording: a bar, the phase, which screen readers read when it changes, and a button to cancel.

import { element } from "./element.js";

const PHASES = {
  waiting: "Uploaded. Waiting to be transcribed",
  transcribing: "Transcribing",
  replying: "Writing the reply",
};

export class ClipProgress {
  #bar;
  #phase = element("span", { role: "status" });
  #measure = element("span.quiet"); // changes too often for screen readers
  #cancel;

  /** @param {string} name of the file @param {() => void} cancel */
  constructor(name, cancel) {
    this.#bar = element("progress", { ariaLabel: `Progress of ${name}` });
    this.#cancel = element("button.small", { type: "button", onclick: cancel, ariaLabel: `Cancel ${name}` }, "Cancel");
    const line = element("span.line", {}, this.#phase, this.#measure, this.#cancel);
    this.element = element("span.clip", {}, element("span.file", {}, name), this.#bar, line);
  }

  opens() {
    this.#show("Preparing the upload");
  }

  /** @param {number} sent bytes @param {number} total bytes */
  uploads(sent, total) {
    this.#show("Uploading", sent, total, `${Math.floor((100 * sent) / total)} %`);
  }

  /** @param {{status: string, progress: {secondsDone: number, secondsTotal?: number}}} clip as the server returns it */
  works({ status, progress: { secondsDone, secondsTotal } }) {
    const known = status === "transcribing" && secondsTotal;
    if (known) this.#show(PHASES[status], secondsDone, secondsTotal, `${clock(secondsDone)} of ${clock(secondsTotal)}`);
    else this.#show(PHASES[status]);
  }

  outOfSight() {
    this.#show("The server cannot be reached. It continues with the uploaded recording; reconnecting");
  }

  /** Whether a cancellation is in progress. */
  set cancelling(cancelling) {
    this.#cancel.disabled = cancelling;
  }

  #show(phase, value = null, max = 1, measure = "") {
    if (this.#phase.textContent !== phase) this.#phase.textContent = phase; // screen readers would read the same text again
    this.#measure.textContent = measure;
    this.#bar.max = max;
    if (value === null) this.#bar.removeAttribute("value");
    else this.#bar.value = value;
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
