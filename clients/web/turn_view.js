// One turn on the page: the user's words, the reply, and notes on how it ended.

import { element } from "./element.js";
import { clipParts } from "./clip_parts.js";
import { timingBar } from "./timings.js";

export class TurnView {
  #listener;
  #said = element("p.said");
  #reply = element("p.reply");
  #notes = element("div.notes");
  #edit = element("button.small", { type: "button", hidden: true }, "Edit and send again");
  #over = false;

  /** @param {{say: (text: string) => void, parts: (turn: object) => object}} listener `parts` returns a clip's addresses */
  constructor(listener) {
    this.#listener = listener;
    this.#edit.onclick = () => this.#beginEdit();
    this.element = element("li.turn", {}, ...this.#children());
  }

  #children() {
    return [
      element("div.mine", {}, element("h3.unseen", {}, "You"), this.#said, this.#edit),
      element("div.theirs", {}, element("h3.unseen", {}, "Assistant"), this.#reply, this.#notes),
    ];
  }

  /** Whether the turn has ended. */
  get over() {
    return this.#over;
  }

  get heard() {
    return !this.#edit.hidden;
  }

  get words() {
    return this.#said.textContent;
  }

  /** A recording is being uploaded: show its *progress* in place of its words. */
  carries(progress) {
    this.#said.replaceChildren(progress);
  }

  /** Show an interim transcript, which may still change. */
  interim(text) {
    this.#said.textContent = text;
    this.#said.classList.add("interim");
  }

  said(text) {
    this.#said.textContent = text;
    this.#said.classList.remove("interim");
    this.#edit.hidden = false;
  }

  replyGrows(text) {
    this.#reply.textContent += text;
  }

  /** Show the completed turn as the server returns it. */
  done(turn) {
    const { transcription, responseText, interrupted, degraded = [], timings = {} } = turn;
    this.#over = true;
    this.said(transcription);
    this.#reply.textContent = responseText;
    this.#notes.replaceChildren();
    if (interrupted) this.#note("Interrupted: only what was delivered is stored.");
    if (degraded.includes("speech")) this.#note("The reply could not be spoken.");
    if (degraded.includes("conversation")) this.#note("The conversation could not be read or stored.");
    if (turn.clipId) this.#notes.append(clipParts(this.#listener.parts(turn), !degraded.includes("speech")));
    if (Object.keys(timings).length) this.#notes.append(timingBar(timings));
  }

  /** The user has interrupted it; later events of the server still update it. */
  interrupted() {
    if (this.#over) return;
    this.#over = true;
    this.#said.classList.remove("interim");
    this.#note("Interrupted.");
  }

  /** Show an error; *again*, if given, retries the turn. */
  failed(text, again) {
    this.#over = true;
    this.#said.classList.remove("interim");
    this.#notes.append(element("p.wrong", { role: "alert" }, text));
    if (!again) return;
    this.#notes.append(element("button.small", { type: "button", onclick: again }, "Try again"));
  }

  #note(text) {
    this.#notes.append(element("p.quiet", {}, text));
  }

  #beginEdit() {
    const text = element("textarea", { value: this.words, rows: 2, ariaLabel: "What you meant to say" });
    const form = element(
      "form.edit",
      {},
      text,
      element("button.small.main", { type: "submit" }, "Send"),
      element("button.small", { type: "button", onclick: () => this.#endEdit(form) }, "Cancel"),
    );
    form.onsubmit = (event) => this.#sendEdit(event, form, text.value.trim());
    form.onkeydown = (event) => event.key === "Escape" && this.#endEdit(form);
    this.#said.hidden = this.#edit.hidden = true;
    this.#said.after(form);
    text.focus();
  }

  #sendEdit(event, form, text) {
    event.preventDefault();
    this.#endEdit(form);
    if (text) this.#listener.say(text);
  }

  #endEdit(form) {
    form.remove();
    this.#said.hidden = this.#edit.hidden = false;
    this.#edit.focus();
  }
}
