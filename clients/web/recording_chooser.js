// A recording file of this device: chosen with a button, or dropped anywhere on the page.

export class RecordingChooser {
  #listener;

  /** @param {{chosen: (file: File) => void, many: () => void}} listener */
  constructor(button, input, listener) {
    this.#listener = listener;
    button.onclick = () => input.click();
    input.onchange = () => {
      this.#take(input.files);
      input.value = ""; // the same file may be chosen again
    };
    this.#followDrags();
  }

  #followDrags() {
    // Without preventDefault the browser would navigate to the file.
    document.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      mark(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
    document.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      mark(false);
      this.#take(event.dataTransfer.files);
    });
  }

  #take(files) {
    if (files.length > 1) this.#listener.many();
    else if (files.length === 1) this.#listener.chosen(files[0]);
  }
}

function carriesFiles({ dataTransfer }) {
  return dataTransfer.types.includes("Files");
}

function mark(dropping) {
  document.body.classList.toggle("dropping", dropping);
}
