// Uploaded recordings; each becomes a turn of its conversation.

import { ClipProgress } from "./clip_progress.js";
import { ClipUpload } from "./clip_upload.js";
import { clipTrouble, uploadTrouble } from "./wording.js";

const EXPIRED = "The upload did not begin in time. Try again.";
const SHOWN_CHARACTERS = 2000; // of a transcript; as many as the conversation stores

export class ClipUploads {
  #backend;
  #turns;
  #listener;
  #views = new Map(); // views of uploads in progress, with the id of their conversation once it is known

  /** @param listener receives `opened` (a conversation's id), `ended` (a message) and `failed` (the reason) */
  constructor(backend, turns, listener) {
    this.#backend = backend;
    this.#turns = turns;
    this.#listener = listener;
  }

  /** Upload a *file*; its turn shows progress and result. */
  async begin(file, options) {
    const job = { file, options, view: this.#turns.begin() };
    const progress = new ClipProgress(file.name, () => this.#cancel(upload, progress));
    const upload = new ClipUpload(this.#backend, progress);
    job.view.carries(progress.element);
    this.#views.set(job.view, options.conversationId);
    try {
      await this.#end(job, await upload.run(file, options, (id) => this.#opened(job, id)));
    } catch (error) {
      if (error.name === "AbortError") this.#cancelled(job);
      else this.#fail(job, uploadTrouble(error));
    }
    this.#views.delete(job.view);
  }

  /** Show the uploads in progress of a conversation that is opened again. */
  showAgain(conversationId) {
    for (const [view, id] of this.#views) if (id === conversationId) this.#turns.append(view);
  }

  #opened({ view, options }, conversationId) {
    this.#views.set(view, conversationId);
    options.conversationId = conversationId; // a retry uses the same conversation
    if (view.element.isConnected) this.#listener.opened(conversationId);
  }

  async #end(job, clip) {
    if (clip.status === "cancelled") return this.#cancelled(job);
    if (clip.status === "expired") return this.#fail(job, EXPIRED);
    const words = clip.links.text && (await this.#backend.clipText(clip.clipId)).slice(0, SHOWN_CHARACTERS).trim();
    if (clip.status === "failed") return this.#fail(job, clipTrouble(clip.problem), words);
    const responseText = await this.#backend.clipReply(clip.clipId);
    job.view.done({ ...clip, transcription: words, responseText });
    this.#listener.ended("The recording has been transcribed and has a reply.");
  }

  /** Show the reason of a failure, below the transcript if there is one, else below the file's name. */
  #fail({ view, file, options }, why, words = file.name) {
    view.interim(words);
    view.failed(why, () => {
      view.element.remove();
      this.begin(file, options);
    });
    if (!view.element.isConnected) this.#listener.failed(`${file.name}: ${why}`);
  }

  #cancelled({ view }) {
    view.element.remove();
    this.#listener.ended("The recording was cancelled.");
  }

  async #cancel(upload, progress) {
    progress.cancelling = true;
    try {
      await upload.cancel();
    } catch (error) {
      progress.cancelling = false;
      this.#listener.failed(uploadTrouble(error));
    }
  }
}
