// The user's choice of language and voice, stored in this browser.

import { element } from "./element.js";

const kept = storage();

export class Choices extends EventTarget {
  #language;
  #voice;
  #voices = [];
  #standard = "";

  /** @param {HTMLSelectElement} language @param {HTMLSelectElement} voice */
  constructor(language, voice) {
    super();
    this.#language = language;
    this.#voice = voice;
    language.onchange = () => {
      this.#listVoices();
      this.#changed();
    };
    voice.onchange = () => this.#changed();
  }

  /** @param {{voices: object[], default: string}} response of /voices */
  show({ voices, default: standard }) {
    this.#voices = voices;
    this.#standard = standard;
    const tags = [...new Set(voices.map((voice) => voice.language))].sort();
    this.#language.replaceChildren(option("", "The server's default"), ...tags.map((tag) => option(tag, named(tag))));
    this.#language.value = tags.includes(kept.language) ? kept.language : "";
    this.#listVoices(kept.voice);
  }

  /** Options of a turn or a session; unset choices are omitted. */
  get options() {
    return { language: this.#language.value || undefined, voice: this.#voice.value || undefined };
  }

  /** List the voices of the chosen language; without a language, all. */
  #listVoices(wanted = this.#voice.value) {
    const language = this.#language.value;
    const fitting = this.#voices.filter((voice) => !language || voice.language === language);
    const standardFits = !language || this.#standard.startsWith(`${language}-`);
    const standard = standardFits ? [option("", "The server's default")] : [];
    this.#voice.replaceChildren(...standard, ...groups(fitting));
    const names = [...this.#voice.options].map((choice) => choice.value);
    this.#voice.value = names.includes(wanted) ? wanted : names[0];
  }

  #changed() {
    kept.language = this.#language.value;
    kept.voice = this.#voice.value;
    this.dispatchEvent(new Event("change"));
  }
}

/** localStorage; where the browser forbids it, an object that lasts as long as the page. */
function storage() {
  try {
    return localStorage;
  } catch {
    return {};
  }
}

function groups(voices) {
  const byLanguage = Map.groupBy(voices, (voice) => voice.language);
  return [...byLanguage].map(([tag, members]) => {
    const choices = members.map(({ name, displayName, gender }) => option(name, `${displayName}, ${gender.toLowerCase()}`));
    return element("optgroup", { label: named(tag) }, ...choices);
  });
}

function option(value, text) {
  return element("option", { value }, text);
}

function named(tag) {
  return new Intl.DisplayNames([navigator.language], { type: "language" }).of(tag) ?? tag;
}
