// The talk button: held by mouse, touch, pen or space bar; Enter or a screen reader's click toggles it.
// It only detects presses: app.js passes them to dialogue.js, which stops the speech and begins an utterance.

const TYPING = "input, textarea, select, [contenteditable]";
const PRESSABLE = "button, a, summary, audio";

export class TalkButton {
  #button;
  #listener;
  held = false;

  /** @param {{press: () => void, release: () => void, cancel: () => void}} listener */
  constructor(button, listener) {
    this.#button = button;
    this.#listener = listener;
    this.#followPointer();
    this.#followKeys();
    // A key that is released in another window sends no event here.
    addEventListener("blur", () => this.#release());
    document.addEventListener("visibilitychange", () => document.hidden && this.#release());
  }

  #followPointer() {
    const button = this.#button;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId); // receive the release wherever it happens
      this.#press();
    });
    // Follows pointerup and pointercancel, and is the only event when the capture is taken away.
    button.addEventListener("lostpointercapture", () => this.#release());
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // A click without detail comes from assistive technology, not from a pointer or one of our keys.
    button.addEventListener("click", (event) => event.detail === 0 && this.#toggle());
  }

  #followKeys() {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return this.#cancel();
      if (!this.#means(event)) return;
      event.preventDefault(); // no scrolling, no click
      if (event.repeat) return;
      if (event.key === "Enter") this.#toggle();
      else this.#press();
    });
    document.addEventListener("keyup", (event) => {
      if (event.key !== " " || !this.held) return;
      event.preventDefault();
      this.#release();
    });
  }

  /** Whether the key is for this button: space anywhere except where it types or presses another element. */
  #means({ key, target, ctrlKey, altKey, metaKey }) {
    if (ctrlKey || altKey || metaKey) return false;
    if (target === this.#button) return key === " " || key === "Enter";
    return key === " " && !target.closest?.(`${TYPING}, ${PRESSABLE}`);
  }

  #toggle() {
    if (this.held) this.#release();
    else this.#press();
  }

  #press() {
    if (this.held) return;
    this.#hold(true);
    this.#listener.press();
  }

  #release() {
    if (!this.held) return;
    this.#hold(false);
    this.#listener.release();
  }

  #cancel() {
    this.#hold(false);
    this.#listener.cancel();
  }

  #hold(held) {
    this.held = held;
    this.#button.setAttribute("aria-pressed", String(held));
  }
}
