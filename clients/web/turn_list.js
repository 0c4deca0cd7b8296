// The conversation on the page: its turns, oldest first.

import { TurnView } from "./turn_view.js";

const NEAR_END_PX = 120;

export class TurnList {
  #list;
  #scroller;
  #earlier;
  #listener;

  /** @param listener takes `say` and `parts` as a TurnView tells it, and `earlier` (where to continue) */
  constructor(list, scroller, earlier, listener) {
    this.#list = list;
    this.#scroller = scroller;
    this.#earlier = earlier;
    this.#listener = listener;
    new ResizeObserver(() => this.#follow()).observe(list);
  }

  /** A turn that begins now. */
  begin() {
    const view = new TurnView(this.#listener);
    this.append(view);
    return view;
  }

  /** Put a turn to the end that was taken away with all others. */
  append(view) {
    this.#list.append(view.element);
    this.#toEnd();
  }

  /** Stop the players of turns. */
  quiet() {
    for (const audio of this.#list.querySelectorAll("audio")) audio.pause();
  }

  clear() {
    this.#list.replaceChildren();
    this.#earlier.hidden = true;
  }

  /** Show a page of turns, latest first as the server lists them, before those that are shown. */
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
