// The page works without this file. It adds shortcuts, selections and progress. Nothing here writes HTML: the content
// security policy forbids it, since the content may come from an attacker.
"use strict";

(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const one = (selector) => document.querySelector(selector);

  // --- rows ---------------------------------------------------------------------------------------------------

  // A page that refreshes itself gains and loses rows, so each is looked for when it is needed.
  const allRows = () => all("[data-rows] .row");
  const go = (step) => {
    const rows = allRows();
    if (rows.length === 0) return;
    const at = rows.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
    rows[next].focus();
    rows[next].scrollIntoView({ block: "nearest" });
  };

  // --- selection ----------------------------------------------------------------------------------------------

  const boxes = () => all('input[name="item"]');
  const showCount = () => {
    const everything = one("[data-all]");
    const counter = one("[data-picked]");
    const count = boxes().filter((box) => box.checked).length;
    if (counter) counter.textContent = count === 0 ? "None selected" : `${count} selected`;
    if (everything) {
      everything.checked = count > 0 && count === boxes().length;
      everything.indeterminate = count > 0 && count < boxes().length;
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches('[data-all], input[name="item"]')) showCount();
  });
  showCount();

  const pick = () => {
    const row = allRows().find((one) => one === document.activeElement);
    const box = row && row.closest("tr") && row.closest("tr").querySelector('input[name="item"]');
    if (box) {
      box.checked = !box.checked;
      showCount();
    }
  };

  // --- keys ---------------------------------------------------------------------------------------------------

  const writing = (target) => target.matches("input:not([type=checkbox]), textarea, select");
  const press = (key) => {
    const target = all("[data-key]").find((element) => element.dataset.key === key);
    if (!target) return false;
    if (target.matches("a, button") && !("focus" in target.dataset)) target.click();
    else if (target.matches("form")) target.querySelector("input:not([type=hidden]), textarea").focus();
    else target.focus();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (writing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const ticked = { r: "retry", a: "archive" }[event.key];
    const button = ticked && boxes().some((box) => box.checked) && one(`#selection button[value="${ticked}"]`);
    if (button) {
      button.focus();
      event.preventDefault();
      return;
    }
    const action = { j: () => go(1), k: () => go(-1), s: pick }[event.key];
    if (action) action();
    else if (event.key.length !== 1 || !press(event.key)) return;
    event.preventDefault();
  });

  // --- progress -----------------------------------------------------------------------------------------------

  // A slow answer is announced, also to screen readers; a fast one is not.
  const loading = one("[data-loading]");
  const words = [[700, "Loading…"], [5000, "Still loading: AWS is slow. The request continues."]];
  let waits = [];
  const busy = () => {
    document.body.setAttribute("aria-busy", "true");
    waits.forEach(window.clearTimeout);
    waits = words.map(([after, text]) => window.setTimeout(() => { loading.textContent = text; }, after));
  };
  const idle = () => {
    document.body.removeAttribute("aria-busy");
    waits.forEach(window.clearTimeout);
    loading.textContent = "";
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent === "yes") {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    busy();
    if (form.dataset.busy && event.submitter) {
      event.submitter.dataset.label = event.submitter.textContent;
      event.submitter.textContent = form.dataset.busy;
      event.submitter.setAttribute("aria-disabled", "true");
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !link.getAttribute("href").startsWith("#")) busy();
  });
  window.addEventListener("pageshow", () => {
    idle();
    all("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-disabled]").forEach((button) => {
        button.removeAttribute("aria-disabled");
        button.textContent = button.dataset.label;
      });
    });
  });

  const ask = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store" });
    return answer.ok ? answer.json() : null;
  };
  const every = (milliseconds, look) => {
    const again = async () => {
      let done = false;
      try {
        done = await look();
      } catch {
        done = false; // the page's server may be away for a moment
      }
      if (!done) window.setTimeout(again, milliseconds);
    };
    window.setTimeout(again, milliseconds);
  };

  // --- times and copies ---------------------------------------------------------------------------------------

  const local = (text, options) => new Date(text).toLocaleString([], options);
  const here = () => {
    all("time[datetime]").forEach((time) => {
      if (!Number.isNaN(Date.parse(time.dateTime))) time.title = `${local(time.dateTime)} here, ${time.dateTime.slice(0, 19).replace("T", " ")} UTC`;
    });
    const hours = all("[data-hour]");
    hours.forEach((label) => { label.textContent = local(label.dataset.hour, { hour: "2-digit", minute: "2-digit" }); });
    if (hours.length && one("[data-zone]")) one("[data-zone]").textContent = "in your local time";
  };
  const offerCopies = () => all("[data-copy-label]:empty").forEach((place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = place.dataset.copyLabel;
    button.addEventListener("click", async () => {
      const of = place.dataset.copiesOf;
      try {
        await navigator.clipboard.writeText(of ? document.getElementById(of).textContent : place.dataset.copies);
        button.textContent = "Copied";
      } catch {
        button.textContent = "The browser does not allow it";
      }
      window.setTimeout(() => { button.textContent = place.dataset.copyLabel; }, 2000);
    });
    place.append(button);
  });
  const renewed = () => {
    here();
    offerCopies();
    showCount();
  };
  document.addEventListener("renewed", renewed);
  renewed();

  // --- an operation's progress --------------------------------------------------------------------------------

  const progress = one("[data-progress]");
  if (progress) {
    every(1000, async () => {
      const says = progress.querySelector('[data-field="says"]');
      const tell = (text) => { if (says.textContent !== text) says.textContent = text; };
      const state = await ask(progress.dataset.progress).catch(() => null);
      if (!state) {
        tell("The page's command does not answer. The numbers are those from before; start it again to see more, and resume.");
        return false;
      }
      if (state.lost) {
        tell(state.lost);
        return false;
      }
      progress.querySelector('[data-field="taken"]').textContent = state.taken.toLocaleString("en");
      progress.querySelector('[data-field="of"]').textContent = state.of.toLocaleString("en");
      progress.querySelector('[data-field="bar"]').max = Math.max(state.of, 1);
      progress.querySelector('[data-field="bar"]').value = state.taken;
      tell(state.says);
      progress.querySelectorAll("[data-count]").forEach((cell) => {
        cell.textContent = (state.counts[cell.dataset.count] || 0).toLocaleString("en");
      });
      const changed = state.state !== progress.dataset.state;
      if (state.over || changed) window.location.reload();
      return state.over || changed;
    });
  }
})();
