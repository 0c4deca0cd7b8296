// The turns between the user and the assistant, over HTTP or WebRTC.

import { Exchange } from "./exchange.js";
import { HttpRoad } from "./http_road.js";
import { WebRtcRoad } from "./webrtc_road.js";
import { problemTrouble } from "./wording.js";

const TRAILING_MS = 200; // delay of the last syllable on its way to the server, which stops waiting at silence

export class Dialogue {
  #microphone;
  #choices;
  #turns;
  #speech;
  #listener;
  #http;
  #webrtc;
  #uttering = null; // the exchange that is being recorded, while the button is down
  #coming = null; // the exchange whose turn the server has not begun yet
  #active = null; // the exchange whose events are arriving
  #promised = null; // a conversation that a session has named and that has no turn yet
  conversationId = null;

  /** @param listener receives `state`, `road`, `began`, `ended` and `hint` */
  constructor({ backend, player, speech, microphone, choices, turns, listener }) {
    this.#microphone = microphone;
    this.#choices = choices;
    this.#turns = turns;
    this.#speech = speech;
    this.#listener = listener;
    this.#http = new HttpRoad(backend, player, (event) => this.#take(event));
    this.#webrtc = new WebRtcRoad(backend, speech, microphone, {
      named: (id) => (this.conversationId ??= this.#promised = id),
      event: (event) => this.#take(event),
      closed: () => this.#takeOver(),
      changed: () => listener.road(this.#webrtc.state),
    });
    choices.addEventListener("change", () => this.#update());
  }

  get listening() {
    return this.#uttering !== null;
  }

  /** Prepare for the next turn. */
  ready() {
    this.#webrtc.ensure(this.#options);
  }

  /** The page is left. */
  leave() {
    this.#http.stop();
    this.#webrtc.close();
  }

  /** Continue another conversation; null begins a new one. */
  turnTo(conversationId) {
    this.stop();
    this.#promised = null;
    this.conversationId = conversationId;
    this.ready();
  }

  /** A recording has begun a conversation: the next turn continues it, unless another conversation was chosen. */
  join(conversationId) {
    if (this.conversationId === this.#promised) this.conversationId = conversationId;
  }

  /** The button is down: stop the speech, begin an utterance. */
  press() {
    const exchange = this.#begin();
    exchange.record(this.#microphone.record());
    this.#uttering = exchange;
    if (exchange.live) this.#webrtc.send({ type: "input_audio_buffer.clear" });
    this.#listener.state("listening");
  }

  /** The button is up: the utterance is complete. */
  async release() {
    if (this.#uttering.short) return this.discard("Hold the button while you talk.");
    const exchange = this.#uttering;
    const { recording, live } = exchange;
    this.#uttering = null;
    this.#listener.state("thinking");
    if (live) this.#webrtc.send({ type: "input_audio_buffer.commit", trailingMs: TRAILING_MS });
    exchange.said = recording.finish();
    await exchange.said;
    this.#microphone.mute(recording);
    this.#speech.mute(false);
    if (!live) this.#sendByHttp(exchange);
  }

  /** Discard the utterance. */
  discard(hint) {
    const { live, view } = this.#uttering;
    this.#coming = null;
    this.#endUttering();
    if (live) this.#webrtc.send({ type: "response.cancel" });
    view.element.remove();
    this.#listener.state("idle");
    this.#listener.hint(hint);
  }

  #endUttering() {
    this.#microphone.mute(this.#uttering.recording);
    this.#uttering.drop();
    this.#uttering = null;
    this.#speech.mute(false);
  }

  /** Take a typed turn. */
  say(text) {
    const exchange = this.#begin();
    exchange.said = text;
    exchange.view.said(text);
    this.#speech.mute(false);
    this.#listener.state("thinking");
    if (exchange.live) this.#webrtc.send({ type: "input_text", text });
    else this.#sendByHttp(exchange);
  }

  /** Stop the turn in progress; the delivered part of it stays. */
  stop() {
    if (this.#drop()) this.#webrtc.send({ type: "response.cancel" });
    this.#listener.state("idle");
  }

  /** Drop unfinished exchanges. Returns whether one of them belongs to a session, which must then cancel its turn. */
  #drop() {
    const unfinished = [this.#coming, this.#active].filter((exchange) => exchange && !exchange.view.over);
    const live = unfinished.some((exchange) => exchange.live);
    this.#http.stop();
    this.#speech.mute(live);
    for (const exchange of unfinished) exchange.view.interrupted();
    this.#coming = null;
    return live;
  }

  #begin(live = this.#webrtc.carries(this.conversationId)) {
    // Within a session, a new turn stops the old one by itself.
    if (this.#drop() && !live) this.#webrtc.send({ type: "response.cancel" });
    if (!live) this.ready();
    return (this.#coming = new Exchange(this.#turns.begin(), live));
  }

  async #sendByHttp(exchange) {
    const said = await exchange.said;
    if (exchange === this.#coming) this.#http.send(said, this.#options);
  }

  get #options() {
    return { conversationId: this.conversationId ?? undefined, ...this.#choices.options };
  }

  /** Changed choices need a new session, because a session cannot return to the server's defaults. */
  #update() {
    this.stop();
    this.#webrtc.close();
    this.ready();
  }

  #take(event) {
    const view = this.#active?.view;
    switch (event.type) {
      case "session.state": return this.#showState(event.state);
      case "turn.created": return this.#began(event);
      case "transcript.text.delta": return view?.interim(event.text);
      case "transcript.text.done": return view?.said(event.text);
      case "reply.text.delta": return view?.replyGrows(event.text);
      case "turn.done": return this.#ended(event);
      case "error": return this.#failed(event);
    }
  }

  #showState(state) {
    // While the button is down, a state from the server is outdated.
    if (this.listening || state === "listening") return;
    this.#listener.state(state === "connected" ? "idle" : state, this.#active?.live);
  }

  #began({ turnId, conversationId }) {
    this.#active = this.#coming ?? new Exchange(this.#turns.begin(), true);
    this.#active.turnId = turnId;
    this.#coming = this.#promised = null;
    this.conversationId = conversationId;
    this.#listener.began(conversationId);
  }

  #ended(turn) {
    const exchange = this.#active;
    this.#active = null;
    // The session, not the user, ended the turn before anything was transcribed.
    if (!turn.transcription && exchange?.movable) return this.#moveToHttp(exchange);
    if (turn.transcription) exchange?.view.done(turn);
    else exchange?.view.element.remove();
    this.#listener.ended();
    this.ready();
  }

  #failed(problem) {
    const exchange = this.#failing(problem);
    if (problem.code === "turn-broken-off" && exchange?.movable) return this.#moveToHttp(exchange);
    if (exchange?.view.over) return; // the user has already dropped it
    if (exchange && exchange === this.#uttering) this.#endUttering();
    this.#listener.state("idle");
    if (!exchange) return this.#listener.hint(problemTrouble(problem));
    if (problem.code === "no-speech") {
      exchange.view.element.remove();
      return this.#listener.hint(problemTrouble(problem));
    }
    if (problem.transcription) exchange.view.said(problem.transcription);
    exchange.view.failed(problemTrouble(problem), this.#again(exchange));
  }

  /** The exchange that a problem ends: the active one, unless the problem names another turn. */
  #failing({ turnId }) {
    const started = this.#active && (!turnId || turnId === this.#active.turnId);
    const exchange = started ? this.#active : this.#coming;
    if (started) this.#active = null;
    else this.#coming = null;
    return exchange;
  }

  /** A function that retries a failed exchange, or null if there is neither a recording nor a text. */
  #again(exchange) {
    if (!exchange.said && !exchange.view.heard) return null;
    return () => {
      exchange.view.element.remove();
      if (exchange.view.heard) this.say(exchange.view.words);
      else this.#resend(exchange.said);
    };
  }

  /** Send a recording again, over HTTP. */
  #resend(said) {
    const exchange = this.#begin(false);
    exchange.said = said;
    this.#sendByHttp(exchange);
  }

  /** The session has ended: its unfinished exchange continues over HTTP, in the same conversation. */
  #takeOver() {
    const exchange = [this.#uttering, this.#coming, this.#active].find((one) => one?.live && !one.view.over);
    if (!exchange) return;
    if (exchange?.movable) return this.#moveToHttp(exchange);
    this.#active = this.#coming = null;
    this.#listener.state("idle");
    exchange.view.failed("The connection was lost.", this.#again(exchange));
  }

  #moveToHttp(exchange) {
    exchange.live = false;
    this.#active = null;
    this.#coming = exchange;
    if (exchange !== this.#uttering) this.#sendByHttp(exchange); // otherwise the release sends it
  }
}
