// Recordings that are uploaded instead of spoken here: each becomes a turn of its conversation.

import { ClipProgress } from "./clip_progress.js";
import { ClipUpload } from "./clip_upload.js";
import { clipTrouble, uploadTrouble } from "./wording.js";

const EXPIRED = "The upload did not begin in time. Try again.";
const SHOWN_CHARACTERS = 2000; // of a transcript; as many as the conversation holds

export class ClipUploads {
  #backend;
  #turns;
  #listener;
  #views = new Map(); // of what is under way, with the id of its conversation as soon as it is known

  /** @param listener takes `opened` (a conversation's id), `ended` (how) and `failed` (why) */
  constructor(backend, turns, listener) {
    this.#backend = backend;
    this.#turns = turns;
    this.#listener = listener;
  }

  /** Upload a *file*; whatever becomes of it is shown at its turn. */
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

  /** Show what is under way in a conversation that the user has come back to. */
  showAgain(conversationId) {
    for (const [view, id] of this.#views) if (id === conversationId) this.#turns.append(view);
  }

  #opened({ view, options }, conversationId) {
    this.#views.set(view, conversationId);
    options.conversationId = conversationId; // trying again goes there too
    if (view.element.isConnected) this.#listener.opened(conversationId);
  }

  async #end(job, clip) {
    if (clip.status === "cancelled") return this.#cancelled(job);
    if (clip.status === "expired") return this.#fail(job, EXPIRED);
    const words = clip.links.text && (await this.#backend.clipText(clip.clipId)).slice(0, SHOWN_CHARACTERS).trim();
    if (clip.status === "failed") return this.#fail(job, clipTrouble(clip.problem), words);
    const responseText = await this.#backend.clipReply(clip.clipId);
    job.view.done({ ...clip, transcription: words, responseText });
    this.#listener.ended("The recording is transcribed and answered.");
  }

  /** Say why it failed, below its *words* if it came as far as that. */
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
