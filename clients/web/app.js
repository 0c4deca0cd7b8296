// Connects the parts of the page.

import { Backend } from "./backend.js";
import { Choices } from "./choices.js";
import { ClipUploads } from "./clip_uploads.js";
import { ConversationList } from "./conversation_list.js";
import { Dialogue } from "./dialogue.js";
import { LevelMeter } from "./level.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";
import { RecordingChooser } from "./recording_chooser.js";
import { RemoteSpeech } from "./remote_speech.js";
import { TalkButton } from "./talk_button.js";
import { TurnList } from "./turn_list.js";
import { backendTrouble, microphoneTrouble } from "./wording.js";

const STATES = {
  idle: "Hold the button, or the space bar, and talk.",
  listening: "Listening. Release the button when you are done.",
  thinking: "Thinking…",
  speaking: "Speaking. Press to interrupt.",
};
const ROADS = {
  open: ["WebRTC", "Live: your words are heard while you speak."],
  connecting: ["HTTP", "One request per turn; a live connection is being opened."],
  blocked: ["HTTP", "One request per turn: this network or server does not allow a live connection."],
  closed: ["HTTP", "One request per turn; the next press opens a live connection."],
};

const at = (id) => document.getElementById(id);
const backend = new Backend(document.querySelector("meta[name=voice-api]").content);
const microphone = new Microphone();
const player = new Player();
const speech = new RemoteSpeech();
const meter = new LevelMeter(at("level"), at("talk"));
const choices = new Choices(at("language"), at("voice"));
const turns = new TurnList(at("turns"), at("scroller"), at("earlier"), {
  say: (text) => say(text),
  parts: (turn) => backend.clipParts(turn),
  earlier: (continuation) => showTurns(continuation),
});
const conversations = new ConversationList(at("conversations"), at("more"), backend, {
  open: openConversation,
  forgotten: (id) => id === dialogue.conversationId && newConversation(),
  failed: (error) => trouble(backendTrouble(error)),
});
const dialogue = new Dialogue({
  backend,
  player,
  speech,
  microphone,
  choices,
  turns,
  listener: {
    state: showState,
    road: showRoad,
    began: (id) => conversations.mark(id),
    ended: () => conversations.refresh(),
    hint: showStatus,
  },
});
const uploads = new ClipUploads(backend, turns, {
  opened: joinConversation,
  ended: (text) => {
    conversations.refresh();
    showStatus(text);
  },
  failed: trouble,
});
new RecordingChooser(at("upload"), at("recording"), {
  chosen: upload,
  many: () => trouble("One recording at a time."),
});
const button = new TalkButton(at("talk"), { press, release, cancel });

async function press() {
  unlock();
  turns.quiet();
  trouble("");
  if (!microphone.open && !(await openMicrophone())) return;
  if (button.held) dialogue.press();
  else showStatus("The microphone is ready. Hold the button and talk.");
}

async function openMicrophone() {
  showStatus("Waiting for the microphone…");
  try {
    await microphone.start();
    return true;
  } catch (error) {
    showStatus(STATES.idle);
    trouble(microphoneTrouble(error));
    return false;
  }
}

function release() {
  unlock();
  if (dialogue.listening) dialogue.release();
}

function cancel() {
  if (dialogue.listening) dialogue.discard("Dropped. Hold the button and talk.");
  else dialogue.stop();
}

function say(text) {
  unlock();
  trouble("");
  dialogue.say(text);
}

function upload(file) {
  trouble("");
  const { language } = choices.options;
  uploads.begin(file, { conversationId: dialogue.conversationId ?? undefined, language });
}

function joinConversation(id) {
  dialogue.join(id);
  conversations.mark(dialogue.conversationId);
}

function unlock() {
  player.unlock();
  speech.unlock();
}

function showState(state, live) {
  if (state === document.body.dataset.state) return; // keep the message that was shown since
  document.body.dataset.state = state;
  showStatus(STATES[state]);
  if (state === "listening") meter.watch("microphone", microphone.analyser);
  else if (state === "speaking") meter.watch("speech", live ? speech.analyser : player.analyser);
  else meter.watch("", null);
}

function showRoad(state) {
  const [name, meaning] = ROADS[state];
  at("road").dataset.state = state;
  at("road").textContent = name;
  at("road").title = at("road-meaning").textContent = meaning;
}

/** Show the status; screen readers read it when the user pauses. */
function showStatus(text) {
  at("status").textContent = text;
}

/** Show an error and what to do, read by screen readers at once; an empty text clears it. */
function trouble(text) {
  at("trouble").textContent = text;
}

function newConversation() {
  dialogue.turnTo(null);
  turns.clear();
  conversations.mark(null);
  showDrawer(false);
}

function openConversation(id) {
  dialogue.turnTo(id);
  turns.clear();
  conversations.mark(id);
  showDrawer(false);
  showTurns();
}

async function showTurns(continuation) {
  const id = dialogue.conversationId;
  try {
    const page = await backend.turns(id, continuation);
    if (id !== dialogue.conversationId) return;
    turns.show(page);
    if (!continuation) uploads.showAgain(id);
  } catch (error) {
    trouble(backendTrouble(error));
  }
}

async function showVoices() {
  try {
    choices.show(await backend.voices());
  } catch (error) {
    trouble(backendTrouble(error));
  }
}

/** On a narrow screen the conversations cover the page. */
function showDrawer(shown) {
  document.body.classList.toggle("drawer", shown);
  at("menu").ariaExpanded = String(shown);
}

function sendTyped(event) {
  event.preventDefault();
  const text = at("text").value.trim();
  if (!text) return;
  at("text").value = "";
  say(text);
}

at("new").onclick = newConversation;
at("menu").onclick = () => showDrawer(!document.body.classList.contains("drawer"));
at("veil").onclick = () => showDrawer(false);
at("typed").onsubmit = sendTyped;
document.addEventListener("keydown", (event) => event.key === "Escape" && showDrawer(false));
// Connecting on hover has the session open by the time of the press.
at("talk").onpointerenter = () => dialogue.ready();
// A hidden page closes the microphone, and a page that is left closes its session.
document.addEventListener("visibilitychange", () => document.hidden && microphone.stop());
addEventListener("pagehide", () => dialogue.leave());

showState("idle");
showRoad("closed");
showVoices();
conversations.refresh();
dialogue.ready();
