// A page that refreshes itself without losing anybody's place. What has changed is put into the page as it stands: its
// elements stay, and with them the focus, ticked rows, open details and the scroll. A form in which somebody works stays
// as it was; if its item has changed, the server refuses it. Nothing here writes HTML: the browser parses the page's own
// address, and its policy forbids anything else.
"use strict";

(() => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  const STALE = 60000; // ages grow though nothing happens
  const announced = document.querySelector("[data-loading]");
  const contact = document.querySelector("[data-contact]");
  const clock = (time) => time.toLocaleTimeString([], { hour12: false });

  // --- what has changed is put into the page ------------------------------------------------------------------

  const touched = (field) => {
    if (field.matches("input[type=checkbox]")) return field.name !== "item" && field.checked !== field.defaultChecked;
    return field.matches("input:not([type=hidden]), textarea") && field.value !== field.defaultValue;
  };
  const begun = (form) => form.contains(document.activeElement) || form.dataset.sent === "yes" || Array.from(form.elements).some(touched);
  const inUse = (node) => node.nodeType === Node.ELEMENT_NODE
    && (node.matches("[data-stays]") || (node.matches("form") && begun(node)) || Array.from(node.querySelectorAll("form")).some(begun));
  const keyOf = (node) => {
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    const row = node.matches("tr, li") && node.querySelector("a.row");
    if (row) return row.getAttribute("href");
    return ["id", "data-part", "aria-labelledby", "action"].map((name) => node.getAttribute(name)).find(Boolean) || "";
  };
  const alike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

  const renewAttributes = (old, fresh) => {
    Array.from(old.attributes).forEach(({ name }) => {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    });
    Array.from(fresh.attributes).forEach(({ name, value }) => {
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    });
  };
  const renew = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.matches("form") && begun(old)) return;
    renewAttributes(old, fresh);
    // What is in it is the script's own.
    if (!old.matches("[data-copy-label], [data-picked]")) renewChildren(old, fresh);
  };
  const renewChildren = (old, fresh) => {
    const wanted = new Set(Array.from(fresh.childNodes, keyOf));
    const kept = new Map();
    Array.from(old.childNodes).forEach((node) => {
      const key = keyOf(node);
      if (key && !wanted.has(key) && !inUse(node)) node.remove();
      else if (key) kept.set(key, node);
    });
    const stays = (node) => node && node.nodeType === Node.ELEMENT_NODE && node.matches("[data-stays]");
    let at = old.firstChild;
    Array.from(fresh.childNodes).forEach((node) => {
      while (stays(at)) at = at.nextSibling;
      const key = keyOf(node);
      const own = key ? kept.get(key) : at;
      if (own && alike(own, node)) {
        if (own === at) at = at.nextSibling;
        else old.insertBefore(own, at);
        renew(own, node);
      } else if (at && !key && !keyOf(at) && !inUse(at)) {
        const after = at.nextSibling;
        at.replaceWith(document.importNode(node, true));
        at = after;
      } else old.insertBefore(document.importNode(node, true), at);
    });
    while (at) {
      const after = at.nextSibling;
      if (!inUse(at)) at.remove();
      at = after;
    }
  };

  const rows = () => Array.from(main.querySelectorAll("[data-rows] .row"));
  const put = (fresh) => {
    const focused = document.activeElement;
    const place = rows().indexOf(focused);
    document.title = fresh.ownerDocument.title;
    renew(main, fresh);
    document.dispatchEvent(new CustomEvent("renewed"));
    if (document.activeElement === focused) return;
    // It went, as a row does whose event has arrived, or it was moved.
    const left = rows();
    const next = focused.isConnected ? focused : left[Math.min(Math.max(place, 0), left.length - 1)];
    (place >= 0 || focused.isConnected) && next ? next.focus({ preventScroll: true }) : main.focus({ preventScroll: true });
  };

  // --- asking -------------------------------------------------------------------------------------------------

  let seen = new Date();
  let fetched = Date.now();
  const read = (type, address) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = type;
    request.setRequestHeader("Accept", type === "json" ? "application/json" : "text/html");
    request.timeout = 30000;
    request.onload = () => {
      if (request.status === 200) resolve(request.response);
      else reject(new Error((request.response && request.response.problem) || "The page can't be read again"));
    };
    request.onerror = request.ontimeout = () => reject(new Error("The page's command does not answer"));
    request.send();
  });

  const figures = (now) => {
    const time = main.querySelector("[data-as-of]");
    if (time && now.as_of) {
      time.dateTime = now.as_of;
      time.textContent = `${now.as_of.slice(0, 19).replace("T", " ")} UTC`;
    }
    main.querySelectorAll("[data-part]").forEach((part) => {
      const mark = now.marks && now.marks[part.dataset.part];
      if (!mark) return;
      part.setAttribute("class", `${part.getAttribute("class").replace(/ ?\bt-\w+/, "")} t-${mark.tone}`);
      const text = part.querySelector(".mark");
      if (text) text.textContent = mark.text;
      const title = part.querySelector("title");
      if (title) title.textContent = mark.label;
    });
    main.querySelectorAll("[data-cell]").forEach((cell) => {
      const text = now.cells && now.cells[cell.dataset.cell];
      if (text !== undefined && cell.textContent !== text) cell.textContent = text;
    });
  };
  const look = async () => {
    const now = await read("json", main.dataset.live);
    const changed = String(now.version) !== main.dataset.version;
    if (!changed) figures(now);
    if (changed || Date.now() - fetched > STALE) {
      const fresh = (await read("document", main.dataset.page)).querySelector("main[data-live]");
      if (!fresh) throw new Error("The page can't be read again");
      fetched = Date.now();
      put(fresh);
      if (changed) announced.textContent = main.dataset.says;
      if (changed) window.setTimeout(() => { announced.textContent = ""; }, 4000);
    }
    seen = new Date();
  };

  // --- lost contact -------------------------------------------------------------------------------------------

  let lost = "";
  const age = () => {
    const seconds = Math.round((Date.now() - seen) / 1000);
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  };
  const tellAge = () => { contact.querySelector("[data-age]").textContent = lost && ` (${age()} ago)`; };
  window.setInterval(tellAge, 1000);
  const tell = (problem) => {
    contact.hidden = !problem;
    if (problem !== lost) {
      const text = problem && `${problem}. The page is as of ${clock(seen)}, and goes on by itself once there is an answer.`;
      contact.querySelector("[role=status]").textContent = text;
    }
    lost = problem;
    tellAge();
  };

  let timer;
  let asking = false;
  const again = async () => {
    window.clearTimeout(timer);
    if (document.hidden || asking) return;
    asking = true;
    try {
      await look();
      tell("");
    } catch (error) {
      tell(error.message);
    }
    asking = false;
    timer = window.setTimeout(again, Number(main.dataset.every));
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) again();
  });
  timer = window.setTimeout(again, Number(main.dataset.every));
})();
