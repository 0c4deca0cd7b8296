// The conversation on the page: its turns, oldest first.

import { element } from "./element.js";
import { TurnView } from "./turn_view.js";

const NEAR_END_PX = 120;

export class TurnList {
  #list;
  #scroller;
  #earlier;
  #listener;

  /** @param {{say: (text: string) => void, earlier: (continuation: string) => void}} listener */
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
    this.#list.append(view.element);
    this.#toEnd();
    return view;
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

  /** Say why there is nothing to show. */
  explain(text) {
    this.#list.replaceChildren(element("li.wrong", {}, text));
  }

  #follow() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#toEnd();
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
