// The list of the user's stored conversations.

import { element } from "./element.js";

export class ConversationList {
  #list;
  #more;
  #backend;
  #listener;
  #current = null;

  /** @param {{open: (id: string) => void, forgotten: (id: string) => void, failed: (error: Error) => void}} listener */
  constructor(list, more, backend, listener) {
    this.#list = list;
    this.#more = more;
    this.#backend = backend;
    this.#listener = listener;
  }

  async refresh() {
    try {
      this.#show(await this.#backend.conversations(), 0);
    } catch (error) {
      this.#listener.failed(error);
    }
  }

  /** Mark the conversation that is open. */
  mark(id) {
    this.#current = id;
    for (const item of this.#list.children) item.firstElementChild.ariaCurrent = String(item.dataset.id === id);
  }

  /** Show a page of the list from index *start* on; items beyond the page are removed. */
  #show({ conversations, continuation }, start) {
    conversations.forEach((conversation, index) => this.#place(this.#item(conversation), start + index));
    const shown = start + conversations.length;
    while (this.#list.children.length > shown) this.#list.lastElementChild.remove();
    this.#more.hidden = !continuation;
    this.#more.onclick = () => this.#showMore(continuation, shown);
    this.mark(this.#current);
  }

  /** An item that is already in its place is not moved: it may have the focus, or a click may be in progress. */
  #place(item, index) {
    if (this.#list.children[index] !== item) this.#list.insertBefore(item, this.#list.children[index] ?? null);
  }

  async #showMore(continuation, shown) {
    try {
      this.#show(await this.#backend.conversations(continuation), shown);
    } catch (error) {
      this.#listener.failed(error);
    }
  }

  #item({ conversationId: id, title, turnCount, updatedAt }) {
    const when = new Date(updatedAt).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const item = [...this.#list.children].find((one) => one.dataset.id === id) ?? this.#newItem(id, title);
    const [first, second] = item.firstElementChild.children;
    first.textContent = title || "Untitled";
    second.textContent = `${when} · ${turnCount} turn${turnCount === 1 ? "" : "s"}`;
    return item;
  }

  #newItem(id, title) {
    const open = element(
      "button.open",
      { type: "button", onclick: () => this.#listener.open(id) },
      element("span.title"),
      element("span.quiet"),
    );
    const item = element("li", {}, open, this.#forgetButton(id, title));
    item.dataset.id = id;
    return item;
  }

  /** A button that asks for confirmation: the second press deletes, unless the button has lost the focus. */
  #forgetButton(id, title) {
    const button = element("button.forget", { type: "button", ariaLabel: `Delete ${title}` }, "✕");
    const calm = () => {
      button.classList.remove("sure");
      button.textContent = "✕";
      button.ariaLabel = `Delete ${title}`;
    };
    button.onblur = calm;
    button.onclick = () => {
      if (button.classList.contains("sure")) return this.#forget(id);
      button.classList.add("sure");
      button.textContent = button.ariaLabel = "Really delete?";
    };
    return button;
  }

  async #forget(id) {
    try {
      await this.#backend.forget(id);
      this.#listener.forgotten(id);
      await this.refresh();
    } catch (error) {
      this.#listener.failed(error);
    }
  }
}
