// The conversation on the page: its turns, oldest first.

import { TurnView } from "./turn_view.js";

const NEAR_END_PX = 120;

export class TurnList {
  #list;
  #scroller;
  #earlier;
  #listener;

  /** @param listener receives `say` and `parts` of a TurnView, and `earlier` (a continuation token) */
  constructor(list, scroller, earlier, listener) {
    this.#list = list;
    this.#scroller = scroller;
    this.#earlier = earlier;
    this.#listener = listener;
    new ResizeObserver(() => this.#follow()).observe(list);
  }

  /** Add a view for a turn that begins now. */
  begin() {
    const view = new TurnView(this.#listener);
    this.append(view);
    return view;
  }

  /** Append a turn's view again after `clear` removed it. */
  append(view) {
    this.#list.append(view.element);
    this.#toEnd();
  }

  /** Pause all audio players. */
  quiet() {
    for (const audio of this.#list.querySelectorAll("audio")) audio.pause();
  }

  clear() {
    this.#list.replaceChildren();
    this.#earlier.hidden = true;
  }

  /** Insert a page of turns, latest first as the server lists them, before the shown ones. */
  show({ turns, continuation }) {
    const first = this.#list.childElementCount === 0;
    for (const turn of turns) {
      const view = new TurnView(this.#listener);
      view.done(turn);
      this.#list.prepend(view.element);
    }
    this.#earlier.hidden = !continuation;
    this.#earlier.onclick = () => this.#listener.earlier(continuation);
    if (first) this.#toEnd();
  }

  #follow() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#toEnd();
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
