// One recording on its way: a clip is opened, uploaded to storage, and followed until it is answered or has failed.

import { Refused, Unreachable } from "./backend.js";
import { documents } from "./events.js";
import { put } from "./upload.js";

const AGAIN_MS = 2000; // until the server is asked again after it was out of reach
const ENDED = ["done", "failed", "expired", "cancelled"];

export class ClipUpload {
  #backend;
  #progress;
  #flight = new AbortController();
  #clipId = null;

  /** @param {import("./clip_progress.js").ClipProgress} progress shows how far it is */
  constructor(backend, progress) {
    this.#backend = backend;
    this.#progress = progress;
  }

  /**
   * @param {File} file @param {object} options of the clip @param {(conversationId: string) => void} opened
   * @returns {Promise<object>} the clip as it has ended
   */
  async run(file, options, opened) {
    const { signal } = this.#flight;
    this.#progress.opens();
    const members = { ...options, contentType: file.type || undefined, sizeBytes: file.size };
    const { clipId, conversationId, upload } = await this.#backend.openClip(members, signal);
    this.#clipId = clipId;
    opened(conversationId);
    await put(file, upload, (sent, total) => this.#progress.uploads(sent, total), signal);
    return this.#followed(signal);
  }

  /** Have the server forget it, and stop. It goes on when the server cannot be told: it would answer all the same. */
  async cancel() {
    if (this.#clipId) await this.#backend.cancelClip(this.#clipId);
    this.#flight.abort();
  }

  /** The server goes on by itself, so a lost connection only means that nothing is heard of it for a while. */
  async #followed(signal) {
    for (;;) {
      try {
        const response = await this.#backend.followClip(this.#clipId, signal);
        for await (const clip of documents(response)) {
          if (ENDED.includes(clip.status)) return clip;
          this.#progress.works(clip);
        }
      } catch (error) {
        if (!passes(error)) throw error;
        this.#progress.outOfSight();
      }
      await pause(AGAIN_MS, signal);
      signal.throwIfAborted();
    }
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", resolve, { once: true });
  });
}

/** Whether to ask again; a stream that breaks off is a TypeError. */
function passes(error) {
  return error instanceof Refused ? error.document.retryable : error instanceof Unreachable || error instanceof TypeError;
}
