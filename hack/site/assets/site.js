// The search, over the sections of all pages. Without scripts, the pages are complete, and have no search.
"use strict";
(() => {
  const base = new URL(".", document.currentScript.src).href;
  const input = document.getElementById("search");
  const results = document.getElementById("results");
  input.hidden = false;

  // On small screens, the list of pages is closed at first.
  if (matchMedia("(max-width: 50rem)").matches) document.querySelector("nav details").open = false;
  document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest" });

  let loading;
  const load = () => loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${base}search-index.js`;
    script.onload = () => resolve(window.searchIndex.map(s => ({ ...s, title: `${s.page} ${s.heading}`.toLowerCase(), words: s.text.toLowerCase() })));
    script.onerror = reject;
    document.head.append(script);
  });

  const escaped = word => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  // Every word has to be there, as the beginning of one. In a heading it counts more than any number of times in a text.
  const score = (section, words) => {
    let sum = 0;
    for (const word of words) {
      const pattern = new RegExp(`(?<![a-z0-9])${escaped(word)}`, "g");
      const inText = section.words.match(pattern)?.length ?? 0;
      const inTitle = pattern.test(section.title) ? 20 : 0;
      if (!inText && !inTitle) return 0;
      sum += inTitle + Math.min(inText, 10);
    }
    return sum;
  };

  const marked = (text, words) => {
    const at = Math.max(0, Math.min(...words.map(word => text.toLowerCase().indexOf(word)).filter(i => i >= 0), text.length) - 60);
    const part = (at > 0 ? "…" : "") + text.slice(at, at + 180) + (text.length > at + 180 ? "…" : "");
    const pattern = new RegExp(`(?<![a-z0-9])(${words.map(escaped).join("|")})`, "gi");
    return part.split(pattern).map((piece, i) => i % 2 ? Object.assign(document.createElement("mark"), { textContent: piece }) : piece);
  };

  const show = async () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const sections = words.length ? await load() : [];
    const found = sections.map(section => ({ section, points: score(section, words) })).filter(f => f.points).sort((a, b) => b.points - a.points).slice(0, 15);
    results.replaceChildren(...found.map(({ section }) => {
      const link = Object.assign(document.createElement("a"), { href: base + section.url });
      const text = document.createElement("small");
      text.append(...marked(section.text, words));
      link.append(section.page === section.heading ? section.page : `${section.page} › ${section.heading}`, text);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    if (words.length && !found.length) results.append(Object.assign(document.createElement("li"), { textContent: "Nothing was found." }));
    results.hidden = !words.length;
  };

  input.addEventListener("input", show);
  input.addEventListener("focus", load, { once: true });
  results.addEventListener("click", () => { results.hidden = true; });
  document.addEventListener("click", event => { if (!event.target.closest("search")) results.hidden = true; });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !event.target.closest("input")) { event.preventDefault(); input.focus(); }
    if (event.key === "Escape") { results.hidden = true; input.blur(); }
    const links = [...results.querySelectorAll("a")];
    if (event.key === "Enter" && event.target === input) links[0]?.click();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !results.hidden && event.target.closest("search")) { event.preventDefault(); (links[links.indexOf(event.target) + step] ?? input).focus(); }
  });
  // A search can be linked: ?q=words.
  const query = new URLSearchParams(location.search).get("q");
  if (query) { input.value = query; show(); }
})();
