/* The page. What somebody else wrote (texts, replies, XML) is put in as text, never as markup: `h` makes elements and
   text nodes and nothing else. */
"use strict";
(() => {

// Words.

let W = { zh: {}, en: {}, codes: {}, slips: {} };
const stored = (name, value) => {
  try {
    if (value === undefined) return localStorage.getItem("wxserve." + name);
    localStorage.setItem("wxserve." + name, value);
  } catch { /* a browser that keeps nothing */ }
  return null;
};
/** What was stored as JSON; *otherwise* where there is nothing, or somebody else's words. */
function recalled(name, otherwise) {
  try { return JSON.parse(stored(name)) ?? otherwise; } catch { return otherwise; }
}
let lang = stored("lang") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (values && name in values ? values[name] : "…"));
const has = key => key in W[lang];
const worded = (key, values, otherwise) => (has(key) ? fill(W[lang][key], values) : otherwise);
const t = (key, values) => worded(key, values, key);
const kindName = kind => worded("kind." + kind, {}, kind || "?");
/** A code's [title, cause, fix]; a slip's sentence takes the place of {problem}, as in the terminal. */
function codeWords(code, values) {
  const known = W.codes[code]?.[lang];
  if (!known) return [code, "", ""];
  const all = { hint: "", ...values };
  if (all.reason) all.reason = worded("miss." + all.reason, {}, all.reason);
  let [title, cause, fix] = known;
  const slip = W.slips[values?.reason]?.[lang];
  if (slip && title.includes("{problem}")) { all.problem = fill(slip[0], all); fix = slip[1]; }
  return [title, cause, fix].map(part => fill(part, all));
}
const MODES = { plain: "明文", compat: "兼容", safe: "安全" };
const two = n => String(n).padStart(2, "0");
const clock = at => {
  const d = new Date(at * 1000);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map(two).join(":");
};
const now = () => Date.now() / 1000;
const took = s => (s < 1 ? Math.round(s * 1000) + " ms" : s.toFixed(1) + " s");
const lasted = s => (s < 60 ? t("time.s", { n: Math.floor(s) }) : s < 3600 ? t("time.min", { n: Math.floor(s / 60) }) : t("time.h", { n: (s / 3600).toFixed(1) }));
const circled = n => "①②③④⑤"[n - 1] || String(n);

// Making elements.

const $ = id => document.getElementById(id);
const every = (selector, run) => document.querySelectorAll(selector).forEach(run);
/** Makes elements: `h("p.dim.cut", { lang: "zh" }, "text", node)`. The properties may be missing, and `cls` is a class that is
    computed; what is null or false among them, or null, false or "" among the children, is left out. */
const maker = space => (what, ...children) => {
  const [tag, ...classes] = what.split(".");
  const node = document.createElementNS(space, tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  const props = children[0]?.constructor === Object ? children.shift() : {};
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name === "cls" ? "class" : name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter(child => child === 0 || child));
  return node;
};
const h = maker("http://www.w3.org/1999/xhtml"), s = maker("http://www.w3.org/2000/svg");
const mono = (...text) => h("span.mono", ...text);
const sys = (...text) => h("p.sys", ...text);
const option = (value, label, more) => h("option", { value, ...more }, label);
const dim = text => h("p.dim", text);
const plain = (label, onclick, more) => h("button", { type: "button", onclick, ...more }, label);
const button = (label, onclick, more) => plain(label, onclick, { cls: "mini", ...more });
const field = (id, label, input) => h("div.field", h("label", { for: id }, label), input);
const time = (at, text, cls) => h("time", { cls, datetime: new Date(at * 1000).toISOString() }, text);
const factList = (pairs, cls = "facts") => h("dl", { cls }, pairs.map(([name, value]) => [h("dt", name), h("dd", value)]));
const pre = (...text) => h("pre", { tabindex: "0" }, ...text);
/** What leads away: the other side learns nothing of this page. */
const outward = (href, ...children) => h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
const photo = (src, alt) => h("img", { src, alt, referrerpolicy: "no-referrer", loading: "lazy" });
const ICONS = {
  text: "M4 5h16v11H10l-4 3v-3H4z", image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01", voice: "M12 4v10M8 9v5a4 4 0 0 0 8 0V9M12 18v3",
  video: "M4 6h11v12H4zM15 10l5-3v10l-5-3", location: "M12 21s7-6.2 7-11a7 7 0 1 0-14 0c0 4.8 7 11 7 11zM12 8v4M10 10h4",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  plus: "M12 5v14M5 12h14", minus: "M5 12h14", scan: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16", tap: "M5 7h14M5 12h14M5 17h9",
  camera: "M4 8h4l2-3h4l2 3h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z", bell: "M6 16V11a6 6 0 1 1 12 0v5l2 2H4zM10 21h4",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c1-5 4-7 8-7s7 2 8 7", code: "M8 7l-5 5 5 5M16 7l5 5-5 5M13 5l-2 14", note: "M9 18V6l10-2v12M9 18a3 2.5 0 1 1-6 0 3 2.5 0 0 1 6 0zM19 16a3 2.5 0 1 1-6 0 3 2.5 0 0 1 6 0z",
};
const icon = name => s("svg.ico", { viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: ICONS[name] || ICONS.tap }));

// What is known.

let state = null, rows = new Map(), sel = "", details = new Map(), cursor = "";
let user = stored("user") || "", mode = "", view = "chat", filter = { only: "all", q: "" };
const CALM = { slow: 0, latency: 0, fault: "", first: 1 }, bench = { ...CALM };
const asked = new URLSearchParams(location.search), pictures = asked.get("pictures") === "1", liveChoice = asked.get("live");
// Seconds from which a delivery counts as slow: WeChat waits for five.
const SLOW = 3, slow = row => row.seconds > SLOW;
const everyRow = () => [...rows.values()];
const kindOf = kind => state.kinds.find(each => each.kind === kind);
const narrow = () => getComputedStyle(document.querySelector(".tabs")).display !== "none";

// Talking to the server.

async function api(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
  const data = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== "/api/login") { askKey(); throw new Error("key"); }
  if (!response.ok) throw Object.assign(new Error(data.error || response.status), { data });
  return data;
}
/** The same, for who can only say that it failed: null then. */
const ask = (path, body) => api(path, body).catch(error => { complain(error); return null; });
function complain(error) {
  if (error.message === "key") return;
  say(worded("error." + error.message, { field: "", ...error.data }, t("error.unknown", { error: error.message })), true);
}
let spoken = 0, waiting = 0, counted = { n: 0, bad: 0 };
/** The one line for screen readers; no more often than every two seconds. */
function say(text, now) {
  clearTimeout(waiting);
  const wait = now ? 0 : Math.max(0, spoken + 2000 - Date.now());
  waiting = setTimeout(() => { $("announce").textContent = text; spoken = Date.now(); }, wait);
  if (now) toast(text);
}
let toastTimer = 0;
function toast(text) {
  $("strip").hidden = false;
  $("strip").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(strip, 6000);
}

let source = null, failures = 0, polling = 0, polls = 0;
function setLive(how) { const el = $("live"); el.dataset.state = how; el.textContent = t("live." + how); }
function connect() {
  if (liveChoice === "off") return setLive("off");
  if (liveChoice === "poll") return poll();
  if (!polls) setLive("wait");
  if (source) source.close();
  source = new EventSource("/api/events" + (cursor ? "?after=" + encodeURIComponent(cursor) : ""));
  source.onopen = () => { if (failures || polls) refresh(); failures = polls = 0; setLive("on"); };
  const hear = (name, run) => source.addEventListener(name, e => { cursor = e.lastEventId; run(JSON.parse(e.data)); });
  hear("delivery", take);
  hear("reload", reloaded);
  hear("clear", gone => forget(gone.user));
  source.onerror = () => {
    failures += 1;
    setLive("wait");
    if (failures >= 3 || source.readyState === EventSource.CLOSED) { source.close(); poll(); }
  };
}
async function poll() {
  clearTimeout(polling);
  try {
    const news = await api("/api/deliveries?after=" + encodeURIComponent(cursor));
    news.deliveries.forEach(take);
    cursor = news.cursor;
    failures = 0;
    setLive("poll");
  } catch (error) {
    if (error.message === "key") return;
    failures += 1;
    setLive("off");
  }
  // Somebody may have closed a tab meanwhile: a stream is tried again now and then.
  polls += 1;
  if (liveChoice !== "poll" && polls % 5 === 0 && !failures) connect();
  else polling = setTimeout(poll, 2000);
}
/** After an absence: whatever changed meanwhile, and the state of the program, which may be another one. It knows by the
    store's names what was sent to the one before, and nothing of what was under way. */
async function refresh() {
  const before = everyRow(), now = await ask("/api/state"), all = now && await ask("/api/deliveries");
  if (!all) return;
  state = now;
  strip();
  drawMenu();
  const listed = new Set(all.deliveries.map(row => row.id));
  all.deliveries.forEach(take);
  const twin = row => all.deliveries.some(each => each.user === row.user && each.kind === row.kind && each.text === row.text && Math.abs(each.at - row.at) < 2 + row.seconds);
  drop(before.filter(row => !listed.has(row.id) && (!row.done || twin(row))).map(row => row.id));
}

// As many as the server keeps.
const ROWS_MAX = 500;
// In a burst the page stays usable: the rest has its turn in the next frame.
const DRAWN_AT_ONCE = 50, dirty = new Set();
let frame = 0;
function take(row) {
  const before = rows.get(row.id);
  rows.set(row.id, row);
  if (row.live && row.done && !before?.done) { counted.n += 1; counted.bad += failed(row); }
  details.delete(row.id);
  dirty.add(row.id);
  if (!frame) frame = requestAnimationFrame(draw);
}
function draw() {
  frame = 0;
  const ids = [...dirty].slice(0, DRAWN_AT_ONCE);
  for (const id of ids) dirty.delete(id);
  while (rows.size > ROWS_MAX) dropRow(rows.keys().next().value);
  drawRows(ids);
  drawTurns(ids);
  if (ids.includes(sel)) drawDetail();
  if (view === "health") drawHealth();
  if (counted.n) { say(t("heard", counted)); counted = { n: 0, bad: 0 }; }
  if (everyRow().some(underWay)) tick();
  if (dirty.size && !frame) frame = requestAnimationFrame(draw);
}
let ticking = 0;
/** While something is under way its bar grows and its seconds run. */
function tick() {
  if (ticking) return;
  ticking = setTimeout(() => {
    ticking = 0;
    for (const row of everyRow().filter(underWay)) {
      tick();
      if (turns.has(row.id)) drawMeta(turns.get(row.id), row);
      if (row.id === sel) drawRuler(row);
    }
  }, 100);
}
const failed = row => row.outcome === "fault" || row.outcome === "refused";
const underWay = row => !row.done && !row.live;
const running = row => (row.done ? row.seconds : Math.max(0, now() - row.at));

// The phone.

const turns = new Map(), TURNS_MAX = 160;
/** Whether the end of the conversation is in sight, and shall stay there whatever becomes of its height. */
let atEnd = true;
const toEnd = () => { $("log").scrollTop = $("log").scrollHeight; };
function drawTurns(ids) {
  const log = $("log");
  const mine = ids.filter(id => { const row = rows.get(id); return row && row.user === user && (row.kind || !row.live); }).slice(-TURNS_MAX);
  for (const id of mine) {
    const row = rows.get(id);
    let turn = turns.get(id);
    if (!turn) {
      turn = h("div.turn", { "data-id": id });
      turns.set(id, turn);
      turn.at = row.at;
      // A new turn nearly always is the last.
      let next = null;
      while ((next ? next.previousElementSibling : log.lastElementChild)?.at > row.at) next = next ? next.previousElementSibling : log.lastElementChild;
      log.insertBefore(turn, next);
    }
    drawTurn(turn, row);
  }
  while (log.children.length > TURNS_MAX) { const first = log.firstChild; turns.delete(first.dataset.id); first.remove(); }
  $("peer").textContent = everyRow().some(row => row.user === user && !row.done) ? t("phone.typing") : state.name;
  hello();
  if (mine.length && atEnd) toEnd();
}
function hello() {
  const log = $("log");
  log.querySelector(".hello")?.remove();
  if (turns.size) return;
  const idea = (label, order) => button(label, () => send(order));
  log.append(h("div.hello", h("p", t("hello")), h("div.ideas",
    idea(t("hello.hi"), { kind: "text", words: [t("hello.hi")] }), idea(kindName("subscribe"), { kind: "subscribe" }),
    idea(kindName("image"), { kind: "image" }), idea(t("hello.slow"), { kind: "text", words: [t("hello.story")], slow: 7 }))));
}
function redrawPhone() {
  turns.clear();
  $("log").replaceChildren();
  drawTurns(everyRow().sort((a, b) => a.at - b.at).map(row => row.id));
  toEnd();
}
function drawTurn(turn, row) {
  const parts = [], before = turn.previousElementSibling;
  if (!before?.at || row.at - before.at > 300) parts.push(time(row.at, clock(row.at).slice(0, 5), "when"));
  parts.push(row.event || !row.said.kind ? systemLine(row) : line("me", said(row.said), t("me")));
  const kind = row.bubble.kind;
  if (!row.done) { if (!row.event) parts.push(line("them", bubble(h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"))), "")); }
  else if (kind && row.outcome === "reply") parts.push(kind.startsWith("transfer_") ? handedOver(row.bubble) : line("them", reply(row.bubble, row), t("them")));
  else if (row.outcome === "nothing") parts.push(sys(kind ? t("not-shown", { kind: kindName(kind) }) : t("no-reply")));
  else if (failed(row) && row.shown) parts.push(h("p.fault", { lang: "zh" }, t("fault.notice")));
  turn.meta = plain("", () => select(row.id, true), { cls: "meta" });
  drawMeta(turn, row);
  turn.replaceChildren(...parts, turn.meta);
  turn.classList.toggle("selected", row.id === sel);
}
function drawMeta(turn, row) {
  const parts = [];
  if (row.attempts.at(-1)?.n > 1) parts.push(h("span", row.attempts.map(a => circled(a.n) + mark(a)).join(" ")));
  parts.push(h("span", { cls: slow(row) ? "warn" : "" }, row.done ? took(row.seconds) : running(row).toFixed(1) + " s"));
  if (row.code) parts.push(h("span", { cls: row.outcome === "reply" ? "code warn" : "code" }, row.code));
  else if (row.outcome === "fault") parts.push(h("span", whyShort(row)));
  else if (row.rule_at) parts.push(h("span", row.rule_at));
  if (row.notes.length) parts.push(h("span.warn", "⚠ " + row.notes.length));
  turn.meta.replaceChildren(h("span.sr", t("inspect.this")), ...parts);
}
const MARKS = { reply: "✓", nothing: "✓", refused: "✕", fault: "✕", timeout: "✕", dropped: "✕", running: "…" };
const mark = attempt => MARKS[attempt.state] || "";
const bubble = (...children) => h("div.bubble", ...children);
const line = (side, bubble, who) => h("div.line." + side, side === "them" && avatar(side), h("div", who && h("span.sr", who), bubble), side === "me" && avatar(side));
const avatar = side => h("span.avatar", { "aria-hidden": "true" }, side === "me" ? t("me.short") : (state.name[0] || "w").toUpperCase());
function systemLine(row) {
  if (!row.said.kind) return line("me", bubble(mono(t("raw"))), t("me"));
  const more = row.said.scene || row.said.key || row.said.label || "";
  return sys(h("span.sr", t("me")), t("event.did", { what: kindName(row.kind) }), more && h("b", " " + more));
}
function said(what) {
  const kind = what.kind;
  if (kind === "text") return bubble(what.text || "");
  if (kind === "voice") return h("div", h("div.bubble.voice", icon("voice"), t("bubble.voice")), what.recognition && h("p.under", t("bubble.heard", { text: what.recognition })));
  if (kind === "image") return picture(what.pic_url, what.media_id, t("bubble.image"));
  if (kind === "video" || kind === "shortvideo") return mediaBox("video", kindName(kind), what.media_id);
  if (kind === "location") return h("div.bubble.media", h("div.place", h("div.map", icon("location")), h("div.body", cardText(what.label || kindName(kind), (what.x ?? "") + ", " + (what.y ?? "")))));
  if (kind === "link") return h("div.card", linkBox(what.url, cardText(what.title || what.url, what.description)));
  return bubble(kindName(kind), " ", what.text || what.title || "");
}
const cardText = (title, text) => [h("span.head", title), text && h("span.desc", text)];
const safe = url => /^https?:\/\//i.test(url || "");
const linkBox = (url, ...children) => (safe(url) ? outward(url, ...children) : h("div.body", ...children));
const mediaBox = (name, label, id) => h("div.bubble.media", h("div.pic", icon(name), h("span", label), id && mono(id)));
function picture(url, id, label) {
  if (pictures && safe(url)) return h("div.bubble.media", h("div.pic", photo(url, label)));
  const box = mediaBox("image", label, id || url);
  if (safe(url)) box.firstChild.append(showPictures());
  return box;
}
const showPictures = () => button(t("pictures.load"), () => { location.href = "/?pictures=1"; });
function reply(b, row) {
  const kind = b.kind;
  if (kind === "text") return bubble(...rich(b.text));
  if (kind === "image") return mediaBox("image", t("bubble.image"), b.media_id);
  if (kind === "voice") return h("div.bubble.voice", icon("voice"), h("span", t("bubble.voice"), " ", mono(b.media_id || "")));
  if (kind === "video") return h("div.card", h("div.cover", icon("video"), mono(b.media_id || "")), h("div.body", cardText(b.title || t("bubble.video"), b.text)));
  if (kind === "music") return h("div.bubble.media", linkBox(b.url, h("div.tune", icon("note"), cardText(b.title || t("bubble.music"), b.text))));
  if (kind === "news") return news(b, row);
  return bubble(kind);
}
const handedOver = b => sys(b.kind === "transfer_biz_ai_ivr" ? t("bubble.ai") : t("bubble.handover", { account: b.account || "" }));
function news(b, row) {
  const articles = b.articles || [];
  const most = row.event ? 8 : b.most;
  const first = articles[0] || {};
  const cover = pictures && safe(first.pic) ? photo(first.pic, "") : [icon("image"), h("span", first.pic || "")];
  const card = h("div.card", linkBox(first.url, h("span.cover", cover), cardText(first.title || "", first.text)));
  articles.slice(1).forEach((a, i) => {
    const box = linkBox(a.url, h("span", a.title));
    box.classList.add("more");
    if (i + 1 >= most) box.classList.add("off");
    card.append(box);
  });
  if (articles.length > most) card.append(h("p.note", t("articles.first")));
  if (!pictures && safe(first.pic)) card.append(showPictures());
  return card;
}
/** Text as WeChat shows it: <a> with http, https or weixin://bizmsgmenu is a link or a choice, everything else letters. */
function rich(text) {
  const parts = [];
  const pattern = /<a\s[^<>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')[^<>]*>([^<]*)<\/a>|(\[[\u4e00-\u9fff]{1,4}\]|\[[A-Z][a-z]{2,8}\])/g;
  let at = 0;
  for (const found of text.matchAll(pattern)) {
    parts.push(text.slice(at, found.index));
    at = found.index + found[0].length;
    const href = found[1] ?? found[2], label = found[3];
    if (found[4]) parts.push(h("span.face", found[4]));
    else if (safe(href)) parts.push(outward(href, label));
    else if (href.startsWith("weixin://bizmsgmenu?")) {
      const words = new URLSearchParams(href.split("?")[1]).get("msgmenucontent") || label;
      parts.push(button(label, () => send({ kind: "text", words: [words] }), { cls: "choice" }));
    } else parts.push(found[0]);
  }
  parts.push(text.slice(at));
  return parts;
}
function drawMenu() {
  const box = $("menu");
  box.hidden = !state.menu.length;
  box.replaceChildren(...state.menu.map(drawMenuButton));
}
function drawMenuButton(made) {
  const entries = made.sub_button || [];
  if (!entries.length) return h("div", plain(made.name, () => press(made)));
  const open = yes => { list.hidden = !yes; opener.setAttribute("aria-expanded", String(yes)); };
  const list = h("ul", { hidden: true }, ...entries.slice(0, 5).map(entry => h("li", plain(entry.name, () => { open(false); press(entry); }))));
  const opener = plain("≡ " + made.name, () => open(list.hidden), { "aria-expanded": "false" });
  return h("div", { onkeydown: e => { if (e.key === "Escape") { open(false); opener.focus(); } } }, list, opener);
}
const MENU = { view: "url", miniprogram: "pagepath" };
function press(entry) {
  const kind = entry.type === "miniprogram" ? "view_miniprogram" : entry.type || "click";
  send({ kind, words: [entry[MENU[entry.type] || "key"] || ""] });
}

// Sending.

let inputs = recalled("inputs", []), recall = -1;
async function send(order) {
  const sent = await ask("/api/send", { user, mode, ...bench, ...order });
  if (sent) select(sent.id);
}
function submit() {
  const box = $("text"), text = box.value;
  if (!text.trim()) return;
  inputs = [text, ...inputs.filter(each => each !== text)].slice(0, 20);
  stored("inputs", JSON.stringify(inputs));
  recall = -1;
  box.value = "";
  grow();
  send({ kind: "text", words: [text] });
}
function grow() { const box = $("text"); box.style.height = "auto"; box.style.height = Math.min(120, box.scrollHeight + 2) + "px"; }
function typed(event) {
  // An input method uses Enter for its own: a word that is being composed is not sent.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) { event.preventDefault(); submit(); return; }
  const up = event.key === "ArrowUp", down = event.key === "ArrowDown";
  if (!(up || down) || event.isComposing || $("text").value.includes("\n")) return;
  if (recall < 0 && (down || $("text").value)) return;
  event.preventDefault();
  recall = Math.max(-1, Math.min(inputs.length - 1, recall + (up ? 1 : -1)));
  $("text").value = recall < 0 ? "" : inputs[recall];
}

const KIND_ICONS = { image: "image", voice: "voice", video: "video", shortvideo: "video", location: "location", link: "link", text: "text", subscribe: "plus", "subscribe:scene": "scan", unsubscribe: "minus",
  scan: "scan", location_event: "location", view: "link", scancode_push: "scan", scancode_waitmsg: "scan", pic_sysphoto: "camera", pic_photo_or_album: "image", pic_weixin: "image", location_select: "location",
  templatesendjobfinish: "bell", kf_create_session: "person", kf_close_session: "person", kf_switch_session: "person" };
function showSheet(open = true) { $("sheet").hidden = !open; $("plus").setAttribute("aria-expanded", String(open)); }
function openSheet(open) {
  showSheet(open);
  if (open) drawSheet();
}
function drawSheet() {
  const groups = Object.entries(state.groups), shown = new Set(groups.flatMap(group => group[1]));
  const tile = (kind, name, run = () => openForm(kind)) => plain([icon(name || "tap"), kindName(kind)], run, { "data-kind": kind });
  const others = h("select", { id: "others", onchange: e => e.target.value && openForm(e.target.value) }, option("", "…"),
    ...state.kinds.filter(each => !shown.has(each.kind)).map(each => option(each.kind, has("kind." + each.kind) ? each.kind + " · " + kindName(each.kind) : each.kind)));
  $("sheet").replaceChildren(...groups.flatMap(([name, kinds]) => [h("h3", t("sheet." + name)), h("div.kinds", kinds.map(kind => tile(kind, KIND_ICONS[kind])))]),
    h("h3", t("sheet.more")), h("div.kinds", tile("raw", "code", () => openRaw("text"))),
    h("div.form", field("others", t("sheet.others"), others)));
  $("sheet").scrollTop = 0;
}
const sheetForm = (kind, onsubmit, fields, more) => h("form.form", { onsubmit: e => { e.preventDefault(); onsubmit(); } }, h("h3", kindName(kind)), fields,
  h("div.row", button("‹ " + t("sheet.back"), drawSheet, { cls: "mini grow" }), more, h("button.primary", t("phone.send"))));
function openForm(name, values) {
  const [kind, scene] = name.split(":");
  const known = kindOf(kind);
  const old = values || recalled("form." + name, []);
  const fields = known.asks.map((ask, i) => field("f" + i, [has("field." + ask.name) && t("field." + ask.name) + " ", h("code", ask.name)],
    h("input", { id: "f" + i, "data-ask": "", value: old[i] ?? ask.value, autocomplete: "off" })));
  if (scene) fields.push(field("fs", t("field.scene"), h("input", { id: "fs", value: "42", autocomplete: "off" })));
  const form = sheetForm(name, () => {
    const words = [...form.querySelectorAll("[data-ask]")].map(input => input.value);
    stored("form." + name, JSON.stringify(words));
    send({ kind, words, scene: scene ? $("fs").value : "" });
  }, fields.length ? fields : dim(t("sheet.nothing")), button("XML", () => openRaw(kind)));
  $("sheet").replaceChildren(form);
  (form.querySelector("input") || form.querySelector(".primary")).focus();
}
function openRaw(kind, xml) {
  const at = Math.floor(now());
  const fresh = text => text.replace(/<CreateTime>\d+/, "<CreateTime>" + at).replace(/(<Msg(?:Id|ID)>)\d+/, "$1" + at + String(Math.random()).slice(2, 9)).replace(/(<FromUserName><!\[CDATA\[)[^\]]*/, "$1" + user);
  const area = h("textarea", { id: "raw", spellcheck: "false", value: fresh(xml || kindOf(kind).xml) });
  const choose = h("select", { id: "raw-kind", onchange: e => { area.value = fresh(kindOf(e.target.value).xml); } }, state.kinds.map(each => option(each.kind, each.kind, { selected: each.kind === kind })));
  showSheet();
  $("sheet").replaceChildren(sheetForm("raw", () => send({ kind: "raw", xml: area.value, words: [] }), [field("raw-kind", t("sheet.template"), choose), field("raw", "XML", area)]));
  area.focus();
}

function drawBench() {
  const said = [];
  for (const id in bench) $(id).value = bench[id];
  for (const id of ["slow", "latency"]) {
    $(id + "-out").textContent = bench[id] + " s";
    if (bench[id]) said.push(t("bench.said." + id, bench));
  }
  if (bench.fault) said.push(t("fault." + bench.fault));
  if (bench.first > 1) said.push(t("bench.said.first", bench));
  $("bench-sum").textContent = said.length ? said.join(" · ") : t("bench.none");
  $("active").hidden = $("calm").hidden = !said.length;
  $("active").replaceChildren(...said.map(each => h("span", each)), plain(t("bench.reset"), calm));
}
function calm() { Object.assign(bench, CALM); drawBench(); $("text").focus(); }
function drawFaults() {
  const off = each => each.sealed && mode === "plain";
  if (state.faults.some(each => each.name === bench.fault && off(each))) bench.fault = "";
  $("fault").replaceChildren(option("", t("fault.none")), ...[...new Set(state.faults.map(each => each.group))].map(group => h("optgroup", { label: t("faults." + group) },
    ...state.faults.filter(each => each.group === group).map(each => option(each.name, t("fault." + each.name), { disabled: off(each) })))));
}
function drawModes() {
  const legend = $("modes").firstElementChild;
  $("modes").replaceChildren(legend, ...state.modes.map(each => h("label", { title: each === state.mode ? t("mode.configured") : t("mode.trial") },
    h("input", { type: "radio", name: "mode", value: each, checked: each === mode, onchange: () => { mode = each; stored("mode", each); drawFaults(); drawBench(); } }), h("span", { lang: "zh" }, MODES[each]))));
}
function drawUsers() {
  const names = [...new Set([state.user, ...recalled("users", []), user])];
  $("user").replaceChildren(...names.map(name => option(name, name, { selected: name === user })), option("+", t("user.new")));
}
function chooseUser(name) {
  if (name === "+") {
    const names = recalled("users", []);
    name = "oTEST" + String(names.length + 2).padStart(4, "0");
    stored("users", JSON.stringify([...names, name]));
  }
  user = name;
  stored("user", user);
  drawUsers();
  drawRows([...rows.keys()]);
  redrawPhone();
}
async function clearUser() {
  const gone = user;
  if (!await ask("/api/clear", { user: gone })) return;
  forget(gone);
  say(t("user.cleared", { user: gone }), true);
}
function forget(name) {
  drop(everyRow().filter(row => row.user === name).map(row => row.id));
  redrawPhone();
}
function dropRow(id) {
  for (const shown of [trs, turns]) { shown.get(id)?.remove(); shown.delete(id); }
  rows.delete(id);
  details.delete(id);
}
function drop(ids) {
  if (!ids.length) return;
  ids.forEach(dropRow);
  if (!rows.has(sel)) select([...rows.keys()].pop() || "");
  hello();
  drawCount();
}

// The list.

const trs = new Map();
const ONLY = {
  all: () => true, failed, slow: row => running(row) > SLOW, retried: row => row.attempts.length > 1,
  live: row => row.live, mine: row => !row.live, events: row => row.event,
};
const RESULT = { reply: "ok", nothing: "dim", refused: "bad", fault: "bad" };
function shownInList(row) {
  if (!ONLY[filter.only](row)) return false;
  const words = filter.q.toLowerCase();
  return !words || [row.id, row.user, row.kind, kindName(row.kind), row.text, row.code, row.rule, row.rule_at].some(each => String(each).toLowerCase().includes(words));
}
function drawRows(ids) {
  const body = $("rows");
  for (const id of ids) {
    const row = rows.get(id);
    if (!row) continue;
    let tr = trs.get(id);
    if (!tr) {
      tr = h("tr", { "data-id": id, tabindex: "-1", "aria-selected": "false", onclick: () => select(id, narrow()), onfocus: () => rove(tr) });
      tr.at = row.at;
      trs.set(id, tr);
      // Newest first; a new row nearly always is the newest.
      let next = body.firstElementChild;
      while (next && next.at > row.at) next = next.nextElementSibling;
      body.insertBefore(tr, next);
    }
    tr.replaceChildren(
      h("td", time(row.at, clock(row.at))),
      h("td.what", tag(row), row.kind && row.kind !== "text" && h("span.kind", kindName(row.kind)), row.text, whose(row)),
      h("td", { cls: RESULT[row.outcome] || "dim" }, ...result(row)),
      h("td", { cls: "num" + (slow(row) ? " slowly" : "") }, row.attempts.length > 1 ? circled(row.attempts.at(-1).n) + " " : "", row.done ? took(row.seconds) : "…"));
    tr.hidden = !shownInList(row);
  }
  drawCount();
  if (!body.querySelector('tr[tabindex="0"]') && body.firstElementChild) body.firstElementChild.tabIndex = 0;
}
const tag = row => (row.live ? h("span.tag.real", t("tag.live")) : row.replay_of ? h("span.tag", row.same ? t("tag.same") : t("tag.replay")) : "");
const whose = row => row.user && row.user !== user && h("span.whose", row.user);
function result(row) {
  if (!row.done) return ["…"];
  if (row.outcome === "refused") return ["✕ ", mono(row.code || String(row.values.status || ""))];
  if (row.outcome === "fault") return ["✕ ", row.code ? mono(row.code) : whyShort(row)];
  if (row.bubble.kind) return ["→ ", kindName(row.bubble.kind) + (row.bubble.text ? " " + row.bubble.text : row.bubble.articles?.length ? " " + row.bubble.articles[0].title : "")];
  return [t("no-reply.short")];
}
const whyOf = row => worded("why." + row.why, row.values, row.why);
const whyShort = row => (has("why." + row.why) ? whyOf(row).split(/[，,:：;；]/)[0] : row.why);
function drawCount() {
  const shown = [...trs.values()].filter(tr => !tr.hidden).length;
  $("count").textContent = shown === rows.size ? String(rows.size) : shown + " / " + rows.size;
  $("none").hidden = shown > 0;
  $("table").hidden = !shown;
}
function applyFilter() { for (const [id, tr] of trs) tr.hidden = !shownInList(rows.get(id)); drawCount(); }
function rove(tr) {
  const old = $("rows").querySelector('tr[tabindex="0"]');
  if (old && old !== tr) old.tabIndex = -1;
  tr.tabIndex = 0;
}
function listKeys(event) {
  const tr = event.target.closest("tr[data-id]");
  if (!tr || event.ctrlKey || event.metaKey || event.altKey) return;
  const id = tr.dataset.id;
  const step = way => { let next = tr; do next = next[way]; while (next && next.hidden); if (next) { next.focus(); select(next.dataset.id); } };
  const keys = { ArrowDown: () => step("nextElementSibling"), ArrowUp: () => step("previousElementSibling"), Home: () => $("rows").querySelector("tr:not([hidden])").focus(), Enter: () => select(id, true), " ": () => select(id) };
  if ($("keys-on").checked) Object.assign(keys, { r: () => replay(id, false), s: () => replay(id, true), e: () => edit(id), c: () => copy(id, "chat"), "/": () => $("q").focus(), "?": openHelp });
  if (event.key in keys) { event.preventDefault(); keys[event.key](); }
}

// The inspector.

async function select(id, go) {
  trs.get(sel)?.setAttribute("aria-selected", "false");
  turns.get(sel)?.classList.remove("selected");
  sel = id;
  if (trs.has(id)) rove(trs.get(id));
  turns.get(id)?.classList.add("selected");
  await drawDetail();
  if (go) { if (narrow()) pane("inspector"); $("inspector").focus({ preventScroll: true }); }
}
const opened = { summary: true, decrypted: true, ...recalled("sections", {}) };
async function detailOf(id) {
  let found = details.get(id);
  if (!found || found.seq !== rows.get(id)?.seq) found = await ask("/api/deliveries/" + id);
  if (found) details.set(id, found);
  return found;
}
async function drawDetail() {
  const id = sel, row = rows.get(id), box = $("detail");
  trs.get(id)?.setAttribute("aria-selected", "true");
  if (!row) { box.replaceChildren(h("div.empty", h("p", t("inspect.none")))); return; }
  if (box.dataset.id !== id) { box.dataset.id = id; box.scrollTop = 0; box.replaceChildren(top(row)); drawRuler(row); }
  const found = await detailOf(id);
  if (!found || sel !== id || !rows.has(id) || found.seq < rows.get(id).seq) return;
  const at = box.scrollTop;
  box.replaceChildren(top(found), ...sections(found));
  drawRuler(found);
  box.scrollTop = at;
}
function top(row) {
  const off = row.xml === "" || row.live && !row.xml;
  const act = (key, run, disabled) => button(t("do." + key), run, { disabled, "data-do": key });
  const copying = key => act(key, () => copy(row.id, key));
  return h("div.top",
    h("div.headline", h("strong", row.text || kindName(row.kind)), h("span.dim", [kindName(row.kind), row.user, row.mode && t("mode." + row.mode), clock(row.at), row.id].filter(Boolean).join(" · "))),
    sentence(row),
    h("div", { id: "ruler" }),
    h("ol.steps", { id: "steps" }),
    h("div.acts",
      act("replay", () => replay(row.id, false), off), act("same", () => replay(row.id, true), off), act("edit", () => edit(row.id), off),
      copying("curl"), copying("send"), copying("chat"), act("xml", () => download(row.id), off),
      h("span.copied", { id: "copied" })),
    row.replay_of && dim(t("replay.note", { id: row.replay_of })));
}
const final = row => row.attempts.find(a => ["reply", "nothing", "refused", "fault"].includes(a.state)) || row.attempts.at(-1);
function sentence(row) {
  const last = final(row), values = { s: row.seconds.toFixed(row.seconds < 1 ? 3 : 1), n: last?.n ?? 1, status: row.values.status || last?.status || "" };
  let key = "running", cls = "run", small = [];
  if (row.done) {
    cls = "";
    if (row.outcome === "reply") key = last?.n > 1 ? "reply.late" : "reply";
    else if (row.outcome === "nothing") { key = "nothing"; cls = "quiet"; }
    else { key = row.outcome === "refused" ? (row.live ? "refused.live" : "refused") : row.shown ? "fault" : "fault.hidden"; cls = "bad"; }
    if (row.code) {
      const [title, cause, fix] = codeWords(row.code, row.values);
      small = [h("small", cls !== "bad" && "⚠ ", mono(row.code), title), cause && h("small", t("cause") + cause), fix && h("small", t("fix") + fix)];
    } else if (row.why) small = [h("small", whyOf(row))];
  }
  return h("p", { cls: "verdict " + cls, id: "verdict" }, t("verdict." + key, values), ...small);
}
// Of four marks on a line, how each has its letters.
const ANCHORS = ["start", "middle", "middle", "end"];
function drawRuler(row) {
  const slot = $("ruler");
  if (!slot) return;
  const width = Math.max(240, slot.parentElement.clientWidth - 32), cut = state.cut, span = 3 * cut, left = 22, right = width - 12;
  if (!row.attempts.length) { slot.replaceChildren(); return; }
  const x = sec => left + (right - left) * Math.min(1.02, sec / span);
  const offset = Math.min(...row.attempts.map(a => a.n - 1)) * cut;
  const lanes = Math.max(3, ...row.attempts.map(a => a.n));
  const height = 22 + lanes * 22;
  const svg = s("svg.ruler", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
  for (let n = 1; n <= lanes; n++) svg.append(s("rect.lane", { x: left, y: 18 + (n - 1) * 22, width: right - left, height: 17, rx: 4 }), s("text.n", { x: 2, y: 31 + (n - 1) * 22 }, circled(n)));
  for (let i = 0; i <= 3; i++) svg.append(s("line", { cls: i ? "mark" : "grid", x1: x(i * cut), x2: x(i * cut), y1: 15, y2: height }), s("text", { x: x(i * cut), y: 10, "text-anchor": ANCHORS[i] }, +(i * cut).toFixed(2) + " s"));
  for (let i = 0; i < 3 && state.deadline < cut; i++) svg.append(s("line.soon", { x1: x(i * cut + state.deadline), x2: x(i * cut + state.deadline), y1: 18, y2: height }));
  const elapsed = running(row);
  row.attempts.forEach(a => {
    const begin = a.started + offset, end = (a.ended === null ? Math.max(a.started, elapsed) : a.ended) + offset;
    const cls = a.state === "running" ? "bar-running" : a.state === "reply" ? "bar-reply" : a.state === "nothing" ? "bar-nothing" : "bar-bad";
    const y = 18 + (a.n - 1) * 22, w = Math.max(3, x(end) - x(begin)), label = mark(a) + " " + took(end - begin);
    svg.append(s("rect", { cls, x: x(begin), y, width: w, height: 17, rx: 4 }));
    const inside = w > 74, beyond = x(end) + 66 > right;
    svg.append(s("text", { cls: inside ? "on" : "", x: inside ? x(begin) + 6 : beyond ? x(begin) - 5 : x(end) + 5, y: y + 12.5, "text-anchor": inside || !beyond ? "start" : "end" }, label));
  });
  slot.replaceChildren(svg);
  $("steps").replaceChildren(...row.attempts.map(a => h("li", t("step." + (a.state === "dropped" ? "timeout" : a.state), { n: circled(a.n), from: (a.started + offset).toFixed(2), to: ((a.ended ?? elapsed) + offset).toFixed(2), status: a.status, s: ((a.ended ?? elapsed) - a.started).toFixed(2) }))));
  if (!row.done && $("verdict")) $("verdict").textContent = t("verdict.running", { n: final(row)?.n ?? 1, s: elapsed.toFixed(1) });
}
function section(key, aside, ...children) {
  const sec = h("details.sec", { "data-sec": key, open: opened[key] }, h("summary", h("h3", t("sec." + key)), aside && h("span.aside", aside)), h("div.sec-body", ...children));
  sec.addEventListener("toggle", () => { opened[key] = sec.open; stored("sections", JSON.stringify(opened)); });
  return sec;
}
function sections(d) {
  const made = [], request = d.requests[0], last = d.requests.at(-1);
  const wins = d.candidates.find(c => c.open);
  made.push(section("summary", d.rule_at || wins?.at, ...seen(d), h("h4.dim", t("rule.asked")), why(d.candidates)));
  if (d.state) made.push(section("state", t(same(...d.state) ? "state.same" : "state.changed"), ...memory(...d.state)));
  if (!d.xml && d.kind) made.push(section("decrypted", "", dim(t("content.off"))));
  if (d.xml) made.push(section("decrypted", kindName(d.kind), xml(d.xml)));
  if (d.reply_xml) made.push(section("reply", d.bubble.kind ? kindName(d.bubble.kind) + " · " + bytes(d.reply_xml) : "", xml(d.reply_xml)));
  if (request) {
    made.push(section("request", request.method + " " + request.path, ...http(request)));
    if (last.status || last.failure) made.push(section("answer", last.status ? "HTTP " + last.status + " · " + last.ms + " ms" : t("why." + last.failure, {}), ...answered(last)));
    if (request.signature) made.push(section("signature", request.signature.same ? "✓" : "✕", ...signature(request.signature)));
    if (request.opened) made.push(section("encryption", request.opened.step ? "✕ " + request.opened.step : "✓", ...envelope(request.opened)));
    const bad = request.checks.filter(c => !c.ok).length + d.notes.length;
    made.push(section("checks", bad ? "⚠ " + bad : "✓", checks(request.checks, d.notes)));
  }
  return made;
}
const bytes = text => new TextEncoder().encode(text).length + " B";
function seen(d) {
  const facts = [];
  if (d.bubble.kind === "text") facts.push([t("fact.sees"), h("span", d.bubble.text)], [t("fact.size"), bytes(d.bubble.text) + " / 2047"]);
  else if (d.bubble.kind) facts.push([t("fact.sees"), kindName(d.bubble.kind) + (d.bubble.title ? " · " + d.bubble.title : "")]);
  if (d.rule) facts.push([t("fact.rule"), mono(d.rule)]);
  if (d.order?.fault) facts.push([t("fact.fault"), t("fault." + d.order.fault)]);
  if (d.order?.slow) facts.push([t("fact.slow"), d.order.slow + " s"]);
  return facts.length ? [factList(facts)] : [];
}
const same = (before, after) => JSON.stringify(before) === JSON.stringify(after);
/** The user's state: what it is now, and what it was where that is something else. */
function memory(before, after) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  if (!names.length) return [dim(t("state.none"))];
  const was = name => h("del", name in before ? before[name] : "—");
  return [factList(names.map(name => [name, before[name] === after[name] ? after[name] : [was(name), " → ", h("ins", after[name] ?? "—")]]), "facts mono")];
}
function why(candidates) {
  if (!candidates.length) return dim(t("rule.none"));
  const first = candidates.find(c => c.open);
  return h("ol.why", ...candidates.slice(0, 12).map(c => h("li", { cls: c === first ? "win" : "dim" }, c === first ? "✓" : c.open ? "·" : "✕", h("b", c.name), mono(c.at),
    h("span", t("level." + c.level) + (c.word ? t("quoted", { text: c.word }) : "") + (c.priority ? " · " + t("rule.priority", { n: c.priority }) : "") + (c.open ? "" : " · " + t("rule.closed"))))));
}
function xml(text) {
  const box = pre();
  // Pretty without changing a byte that matters: each element on a line, what stands in CDATA as it is.
  const pretty = text.replace(/(<!\[CDATA\[[\s\S]*?\]\]>(?!<\/xml>))|>(?=<(?:[A-Za-z_]|\/xml>))/g, (all, cdata) => cdata || ">\n").replace(/\]\]>(?=<\/xml>)/, "]]>\n");
  for (const part of pretty.split(/(<!\[CDATA\[|\]\]>|<\/?[A-Za-z_][\w.-]*[^<>]*>)/)) {
    if (!part) continue;
    box.append(h(part.startsWith("<![") || part === "]]>" ? "span.d" : part.startsWith("<") ? "span.x" : "span.s", part));
  }
  return box;
}
const headerLines = headers => headers.map(pair => pair.join(": ")).join("\n");
function http(request) {
  const query = request.query.split("&").map(pair => pair.split("=")).map(([name, value]) => [name, decode(value || "")]);
  return [factList(query, "facts mono"), pre(`${request.method} ${request.path}?${request.query}\n`, headerLines(request.headers)), xml(request.body)];
}
const decode = text => { try { return decodeURIComponent(text.replace(/\+/g, " ")); } catch { return text; } };
const answered = request => [pre(request.status ? "HTTP " + request.status + "\n" : "", headerLines(request.answer_headers)), request.answer ? xml(request.answer) : dim(t("answer.empty"))];
function signature(sig) {
  return [dim(t("sig.how", { name: sig.name })), h("ol.sorted", sig.sorted.map((part, i) => h("li", h("span", i + 1), h("span", part || "∅")))),
    h("dl.facts", h("dt", t("sig.joined")), h("dd.mono.cut", sig.joined), h("dt", t("sig.ours")), h("dd.mono", sig.ours), h("dt", t("sig.theirs")), h("dd", { cls: "mono " + (sig.same ? "ok" : "bad") }, sig.theirs || "—")),
    h("p", { cls: sig.same ? "ok" : "bad" }, sig.same ? "✓ " + t("sig.same") : "✕ " + (sig.miss ? t("sig.miss", { miss: t("miss." + sig.miss) }) : t("sig.differ")))];
}
const envelope = o => [h("p", { cls: o.step ? "bad" : "ok" }, (o.step ? "✕ " : "✓ ") + t("aes." + (o.step || "ok"), o)), dim(t("aes.how"))];
const checked = (cls, mark, ...words) => h("li", { cls }, h("span", mark), h("div", ...words));
function check(c) {
  if (c.ok) return checked("", "✓", t("check." + c.name));
  const [title, , fix] = codeWords(c.code, c.values);
  return checked("bad", "✕", t("check." + c.name), h("small", mono(c.code), " ", title, " — ", fix));
}
const checks = (list, notes) => h("ul.checks", list.map(check), notes.map(n => checked("slowly", "⚠", t("note." + n.code, n.values))));
async function replay(id, same) {
  const made = await ask("/api/replay/" + id, { same });
  if (!made) return;
  await select(made.id);
  // Three deliveries, and a little more.
  for (let i = 0; i < 170 && !rows.get(made.id)?.done; i++) await new Promise(done => setTimeout(done, 100));
  if (!narrow()) trs.get(made.id)?.focus();
  if ($("verdict")) say(t("replayed", { result: $("verdict").firstChild.textContent }));
}
async function edit(id) {
  const row = rows.get(id), found = await detailOf(id);
  if (!row || !found) return;
  pane("phone");
  if (row.user && !row.live && row.user !== user) chooseUser(row.user);
  const order = row.order || {};
  Object.assign(bench, CALM, { slow: order.slow || 0, latency: order.latency || 0, fault: order.fault || "" });
  if (order.mode && order.mode !== mode) { mode = order.mode; drawModes(); drawFaults(); }
  drawBench();
  if (row.kind === "text" && order.kind === "text") { openSheet(false); $("text").value = row.text; grow(); $("text").focus(); }
  else if (order.kind && order.kind !== "raw") { showSheet(); openForm(order.scene ? "subscribe:scene" : order.kind, order.words); }
  else openRaw("text", found.xml);
}
async function copy(id, what) {
  const found = await detailOf(id);
  if (!found) return;
  const text = found.copies[what];
  let done = true;
  try { await navigator.clipboard.writeText(text); } catch { done = false; }
  document.body.dataset.copied = text;
  const words = done ? "✓ " + t("copied") : t("copied.not"), where = $("copied");
  say(words);
  if (!where) return;
  where.textContent = words;
  setTimeout(() => { where.textContent = ""; }, 2500);
}
async function download(id) {
  const found = await detailOf(id);
  if (!found) return;
  const url = URL.createObjectURL(new Blob([found.xml], { type: "text/xml" }));
  h("a", { href: url, download: id + ".xml" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// Rules, health, settings.

function strip() {
  const { problems, pending } = state.health;
  $("strip").hidden = !problems.length && !pending;
  $("strip").classList.toggle("mild", !problems.length);
  if (problems.length) $("strip").replaceChildren(h("p", t("strip", { n: problems.length })), h("ul", problems.slice(0, 3).map(problem)));
  else $("strip").replaceChildren(h("p", t("strip.pending")), state.can_reload ? button(t("strip.reload"), () => ask("/api/reload", {})) : "");
}
const placeOf = p => p.file + (p.line ? ":" + p.line : "");
function problem(p) {
  const [title, , fix] = codeWords(p.code, p.values);
  return h("li", h("b", p.code), " ", h("b", placeOf(p)), " ", title, fix && h("small", t("fix") + fix));
}
// Where somebody looks at the files, they are loaded within a second; only what takes longer is worth a word.
const PENDING_MS = 2000;
let pendingTimer = 0;
function reloaded(health) {
  state.health = health;
  clearTimeout(pendingTimer);
  if (health.pending) { pendingTimer = setTimeout(strip, PENDING_MS); return; }
  strip();
  say(health.problems.length ? t("reload.bad") : t("reload.good", { n: health.rules }));
  if (view === "rules") drawRules();
  if (view === "health") drawHealth();
}
async function drawRules() {
  const found = await ask("/api/rules");
  if (!found) return;
  $("rules").replaceChildren(...found.rules.map((r, i) => h("tr", h("td.num.dim", i + 1), h("td.name", r.name, r.hours && h("span.tag", t("rules.hours"))),
    h("td", r.patterns.map(p => h("span.pat", p)), (r.kind !== "text" || !r.patterns.length) && h("span.dim", kindName(r.kind))),
    h("td.nowrap", t("level." + r.level)), h("td.num", r.priority || ""), h("td.num", r.hits ? [h("span.small", t("rules.hits") + " "), r.hits] : ""), h("td.mono", r.at))));
  if (!$("try-kind").options.length) $("try-kind").replaceChildren(...state.kinds.map(each => option(each.kind, kindName(each.kind))));
}
async function tryRule() {
  const found = await ask("/api/try", { kind: $("try-kind").value, text: $("try-text").value });
  if (found) $("tried").replaceChildren(why(found.candidates));
}
// A chart: its size, and its field within the margins for what stands at the axes; *part* is 0…1, from the left or below.
const MINUTES = 30, CH = 140, LEFT = 34, TOP = 8;
let CW = 430;
const across = part => LEFT + (CW - LEFT - 10) * part, up = part => TOP + (CH - 30) * (1 - part);
function drawHealth() {
  const hl = state.health, all = everyRow(), at = now(), live = all.filter(row => row.live && row.kind);
  const done = all.filter(row => row.done), times = done.map(row => row.seconds).sort((a, b) => a - b);
  const quantile = q => times[Math.floor(q * times.length)], shown = q => (times.length ? took(quantile(q)) : "—");
  const last = Math.max(0, ...live.map(row => row.at));
  const failing = live.filter(row => row.at > at - 300 && row.outcome === "fault").length;
  const tile = (value, label, alarm) => h("li", { cls: alarm ? "alarm" : "" }, h("strong", value), h("span", label));
  $("tiles").replaceChildren(
    tile(last ? clock(last) : t("health.never"), t("health.last")), tile(`${failing} / ${hl.alarm}`, t("health.failures"), failing > 5), tile(shown(.5), t("health.p50")), tile(shown(.95), t("health.p95"), quantile(.95) > SLOW));
  $("facts").textContent = [`wxserve ${hl.version}`, `Python ${hl.python}`, `AES ${hl.aes}`, t("mode." + hl.mode), t("health.rules", { n: hl.rules }), t("health.uptime", { time: lasted(hl.uptime) })].join(" · ");
  const bins = Array.from({ length: MINUTES }, () => ({ live: 0, mine: 0, bad: 0, retry: 0 }));
  for (const row of all) {
    const bin = bins[MINUTES - 1 - Math.floor((at - row.at) / 60)];
    if (!bin) continue;
    bin[row.live ? "live" : "mine"] += 1;
    bin.bad += failed(row);
    bin.retry += Math.max(0, row.attempts.length - 1);
  }
  // As wide as the picture will be, so that its letters are as large as all others.
  const room = $("charts").clientWidth, columns = Math.max(1, Math.floor((room + 14) / 444));
  CW = Math.max(240, Math.floor((room - 14 * (columns - 1)) / columns) - 34);
  $("charts").replaceChildren(bars("messages", bins, [["live", "a"], ["mine", "b"]]), dots(done.filter(row => at - row.at < MINUTES * 60), at), bars("retries", bins, [["retry", "w"]]), bars("errors", bins, [["bad", "c"]]));
}
/** What the doctor finds on this machine; it takes a moment, and is asked when somebody comes to look. */
async function drawDoctor() {
  const found = await ask("/api/doctor?lang=" + lang);
  if (!found) return;
  $("doctor").hidden = !found.findings.length;
  $("findings").replaceChildren(...found.findings.map(finding));
}
function finding(f) {
  const bad = f.result === "problem", place = f.file && placeOf(f);
  return h("li", { cls: bad ? "bad" : "" }, h("span", bad ? "✕" : f.result === "ok" ? "✓" : "–"), mono(f.group),
    h("div", bad ? [h("b.mono", f.code), " ", place && place + " ", f.title] : f.text, bad && f.cause && h("small", t("cause") + f.cause), bad && f.fix && h("small", t("fix") + f.fix)));
}
function frameOf(key, total, legend) {
  const svg = s("svg", { viewBox: `0 0 ${CW} ${CH}`, role: "img", "aria-label": t("chart." + key) + ". " + total });
  for (let i = 0; i <= 3; i++) svg.append(s("text", { x: across(i / 3), y: CH - 2, "text-anchor": ANCHORS[i] }, i < 3 ? t("chart.ago", { n: MINUTES - MINUTES * i / 3 }) : t("chart.now")));
  if (!rows.size) svg.append(s("text", { x: across(.5), y: CH / 2, "text-anchor": "middle" }, t("chart.none")));
  if (rows.size >= ROWS_MAX) svg.append(unknown());
  const box = h("section.chart", h("h3", t("chart." + key), " ", h("span.dim", total)), svg,
    legend.length > 1 && h("p.legend", legend.map(([name, cls]) => h("span", s("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, s("rect", { cls, width: 10, height: 10, rx: 3 })), t("chart." + name)))));
  return [box, svg];
}
/** The list is full: of what was before its first row nobody here knows. */
function unknown() {
  const minutes = (now() - Math.min(...everyRow().map(row => row.at))) / 60;
  return s("rect.unknown", { x: LEFT, y: TOP, width: across(Math.max(0, 1 - minutes / MINUTES)) - LEFT, height: CH - 30 });
}
const gridLine = (y, label, cls = "grid") => [s("line", { cls, x1: LEFT, x2: across(1), y1: y, y2: y }), s("text", { cls: cls + "-t", x: 28, y: y + 4, "text-anchor": "end" }, label)];
function bars(key, bins, series) {
  const sums = bins.map(bin => series.reduce((sum, [name]) => sum + bin[name], 0)), most = Math.max(4, ...sums);
  const [box, svg] = frameOf(key, String(sums.reduce((sum, n) => sum + n, 0)), series);
  const w = across(1 / bins.length) - LEFT, y = v => up(v / most);
  for (const v of [0, Math.ceil(most / 2), most]) svg.append(...gridLine(y(v), v));
  bins.forEach((bin, i) => {
    let base = 0;
    for (const [name, cls] of series.filter(([name]) => bin[name])) {
      const from = y(base), to = y(base += bin[name]);
      svg.append(s("rect", { cls, x: across(i / bins.length) + 1, width: Math.max(2, w - 2), y: to, height: from - to, rx: 2 }));
    }
  });
  return box;
}
function dots(list, at) {
  const limit = state.cut, [box, svg] = frameOf("latency", t("chart.slow", { n: list.filter(slow).length }), [["fine", "a"], ["late", "w"], ["failed", "c"]]);
  // Milliseconds and fifteen seconds on one picture: the axis is logarithmic.
  const y = sec => up((Math.log10(Math.max(.001, sec)) + 3) / 4.2);
  for (const v of [.001, .01, .1, 1]) svg.append(...gridLine(y(v), v < 1 ? v * 1000 + "ms" : v + "s"));
  svg.append(...gridLine(y(limit), limit + "s", "limit"));
  for (const row of list) svg.append(s("circle", { cls: failed(row) ? "c" : slow(row) ? "w" : "a", cx: across(1 - (at - row.at) / (MINUTES * 60)), cy: y(row.seconds), r: 3 }));
  return box;
}
function drawSettings() {
  let group = "";
  $("settings").replaceChildren(...state.settings.flatMap(each => {
    const head = each.section !== group && h("tr.group", h("th", { colspan: "3", scope: "rowgroup" }, "[" + (group = each.section) + "]"));
    const usual = each.source === "default";
    return [head, h("tr", h("td.mono.nowrap", each.name), h("td.mono", each.value || h("span.dim", t("settings.empty"))), h("td", { cls: usual && "dim" }, usual ? t("settings.default") : each.source))].filter(Boolean);
  }));
}
const current = (node, how) => (how ? node.setAttribute("aria-current", how) : node.removeAttribute("aria-current"));
function show(name) {
  view = name;
  document.body.dataset.view = name;
  every("main > *", each => { each.hidden = each.id !== "view-" + name; });
  every(".views [data-view]", each => current(each, each.dataset.view === name && "page"));
  ({ rules: drawRules, health: () => { refresh().then(drawHealth); drawDoctor(); }, settings: drawSettings, chat: () => {} })[name]();
  if (name === "chat" && sel) drawDetail();
}
function pane(name) {
  $("view-chat").dataset.pane = name;
  every(".tabs [data-pane]", each => current(each, each.dataset.pane === name && "true"));
  if (name === "phone") toEnd();
  if (name === "inspector" && rows.get(sel)) drawRuler(rows.get(sel));
}

// Keys, languages, colours.

const KEYS = [["Enter", "help.enter"], ["Shift Enter", "help.break"], ["↑", "help.recall"]];
const LIST_KEYS = [["↑ ↓", "help.move"], ["Enter", "help.look"], ["r", "do.replay"], ["s", "do.same"], ["e", "do.edit"], ["c", "do.chat"], ["/", "list.search"], ["?", "help.open"]];
const drawKeys = (id, keys) => $(id).replaceChildren(...keys.map(([names, what]) => h("div", h("dt", ...names.split(" ").map(name => h("kbd", name))), h("dd", t(what)))));
const openHelp = () => $("help").showModal();
function speak() {
  const zh = lang === "zh";
  document.documentElement.lang = zh ? "zh-CN" : "en";
  every("[data-t]", node => { node.textContent = t(node.dataset.t); });
  every("[data-tl]", node => node.setAttribute("aria-label", t(node.dataset.tl)));
  every("[data-tp]", node => { node.placeholder = t(node.dataset.tp); });
  $("lang").textContent = zh ? "EN" : "中";
  $("lang").lang = zh ? "en" : "zh";
  $("lang").setAttribute("aria-label", zh ? "EN English" : "中 中文");
  drawKeys("keys-box", KEYS);
  drawKeys("keys-list", LIST_KEYS);
  $("only").replaceChildren(...Object.keys(ONLY).map(each => option(each, t("only." + each), { selected: each === filter.only })));
  if (!state) return;
  document.title = state.name + " · wxserve";
  $("account").textContent = state.name;
  setLive($("live").dataset.state);
  drawModes(); drawUsers(); drawFaults(); drawBench(); drawMenu(); strip();
  drawRows([...rows.keys()]);
  redrawPhone();
  $("try-kind").replaceChildren();
  $("tried").replaceChildren();
  openSheet(false);
  drawDetail();
  show(view);
}
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => { document.documentElement.dataset.theme = stored("theme") || (prefersDark.matches ? "dark" : "light"); };
/** To the other one; back at what the system wants, it is followed again. */
function switchTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  stored("theme", (next === "dark") === prefersDark.matches ? "" : next);
  theme();
}

// Start.

function askKey() {
  if ($("login").open) return;
  if (source) source.close();
  clearTimeout(polling);
  setLive("off");
  $("login").showModal();
  $("key").focus();
}
async function login(key) {
  // Before anything else: an address that is shown, copied or stored has no key.
  history.replaceState(null, "", location.pathname + location.search);
  await api("/api/login", { key });
  $("login").close();
}
async function begin() {
  state = await api("/api/state");
  user = user || state.user;
  mode = state.modes.includes(stored("mode")) ? stored("mode") : state.mode;
  const first = await api("/api/deliveries");
  cursor = first.cursor;
  first.deliveries.forEach(row => rows.set(row.id, row));
  speak();
  if (rows.size) select(everyRow().at(-1).id);
  connect();
  document.body.dataset.ready = "1";
}
function listen() {
  const on = (id, event, run) => $(id).addEventListener(event, run);
  // A form sends nothing by itself, but for the dialogue's, which closes it.
  every("form:not([method])", each => each.addEventListener("submit", event => event.preventDefault()));
  on("login", "cancel", event => event.preventDefault());
  on("composer", "submit", submit);
  on("text", "keydown", typed);
  on("text", "input", () => { recall = -1; grow(); });
  on("plus", "click", () => openSheet($("sheet").hidden));
  on("sheet", "keydown", event => { if (event.key === "Escape") { openSheet(false); $("plus").focus(); } });
  for (const id in bench) on(id, "input", () => { bench[id] = id === "fault" ? $(id).value : +$(id).value; drawBench(); });
  on("calm", "click", calm);
  every("[data-slow]", each => each.addEventListener("click", () => { bench.slow = +each.dataset.slow; drawBench(); }));
  on("rows", "keydown", listKeys);
  on("only", "change", event => { filter.only = event.target.value; applyFilter(); });
  on("q", "input", event => { filter.q = event.target.value; applyFilter(); });
  on("user", "change", event => chooseUser(event.target.value));
  on("clear", "click", clearUser);
  on("try", "submit", tryRule);
  on("lang", "click", () => { lang = $("lang").lang; stored("lang", lang); speak(); });
  on("theme", "click", switchTheme);
  on("help-open", "click", openHelp);
  on("keys-on", "change", event => stored("keys", event.target.checked ? "on" : "off"));
  $("keys-on").checked = stored("keys") !== "off";
  on("login-form", "submit", async () => {
    try { await login($("key").value.trim().replace(/^.*#k=/, "")); await begin(); } catch { $("login-error").textContent = t("login.failed"); }
  });
  every(".views [data-view]", each => each.addEventListener("click", () => show(each.dataset.view)));
  every(".tabs [data-pane]", each => each.addEventListener("click", () => pane(each.dataset.pane)));
  on("log", "scroll", () => { const log = $("log"); atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60; });
  const resized = (id, run) => new ResizeObserver(run).observe($(id));
  resized("log", () => atEnd && toEnd());
  resized("detail", () => rows.has(sel) && drawRuler(rows.get(sel)));
  resized("charts", () => view === "health" && drawHealth());
}
async function start() {
  theme();
  prefersDark.addEventListener("change", theme);
  W = await (await fetch("/texts.json", { cache: "no-store" })).json();
  document.body.dataset.view = "chat";
  document.querySelector(".views button").setAttribute("aria-current", "page");
  pane("phone");
  listen();
  speak();
  const key = new URLSearchParams(location.hash.slice(1)).get("k");
  try {
    if (key) await login(key).catch(() => {});
    await begin();
  } catch (error) { if (error.message !== "key") complain(error); }
}
start();
})();
