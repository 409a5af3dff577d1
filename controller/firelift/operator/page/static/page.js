// One page, two views: everything (#/), and one object (#/rollouts/<namespace>/<name>). News make it read again.

import {chart} from "./charts.js";
import {bar, element, kindOf, state, table, time} from "./parts.js";

const main = document.getElementById("main"), line = document.getElementById("line");

async function read(path) {
  const answer = await fetch(path);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function link(kind, object) {
  const to = `#/${kind}/${encodeURIComponent(object.namespace)}/${encodeURIComponent(object.name)}`;
  return element("a", {href: to}, `${object.namespace}/${object.name}`);
}

function everything({leads, rollouts, environments}) {
  if (!leads) {
    return [element("p", {class: "message wait"}, element("span", {}, "This replica stands by and knows nothing of the objects. Forward a port to the leader: ",
      element("code", {}, "kubectl get lease firelift-operator -n firelift-system"), " names it."))];
  }
  return [
    table("Rollouts", ["Rollout", "State", "Phase", "Progress", "Gates"], rollouts.map((each) =>
      [link("rollouts", each), state(kindOf(each), each.reason), `${each.phase} ${each.step}`.trim() || "–", bar(each.share, each.progress), each.gatesSummary || "–"])),
    rollouts.length ? null : element("p", {class: "soft"}, "There is no rollout yet."),
    table("Environments", ["Environment", "State", "Message"], environments.map((each) =>
      [link("environments", each), state(kindOf(each), each.reason), each.message])),
    environments.length ? null : element("p", {class: "soft"}, "There is no environment yet."),
  ];
}

function phases(object) {
  const kinds = {Done: "good", Running: "work", Reverting: "wait", Reverted: "wait", Failed: "bad"};
  const step = (each) => element("li", {}, state(kinds[each.state] || "work", each.name), ` ${each.state}`);
  return element("ol", {class: "phases"}, ...(object.status.phases || []).map((phase) => element("li", {},
    element("strong", {}, phase.name), ` ${phase.state}`,
    element("div", {class: "soft"}, `${(phase.documents || 0).toLocaleString()} documents, ${(phase.deadLetters || 0).toLocaleString()} dead letters, ${(phase.conflicts || 0).toLocaleString()} conflicts`),
    element("ol", {}, ...(phase.steps || []).map(step)))));
}

function gates(object) {
  return (object.status.gates || []).map((gate) => {
    const points = object.points.filter(([, , values]) => gate.name in values).map(([seconds, , values]) => [seconds, values[gate.name]]);
    const told = `${gate.value || "no value yet"}, allowed ${gate.limit}`;
    return chart(`gate ${gate.name}: ${gate.verdict}`, told, points, object.limits[gate.name]);
  });
}

function message(object) {
  return element("p", {class: `message ${kindOf(object)}`}, state(kindOf(object), object.reason), " ", element("span", {}, object.message));
}

function rollout(object) {
  const {status} = object;
  const back = status.revertibleUntil ? element("p", {}, "The way back is open until ", time(status.revertibleUntil), ".") : null;
  return [
    element("h2", {}, `Rollout ${object.namespace}/${object.name}`), message(object), element("p", {}, bar(object.share, object.progress)), back,
    element("h2", {}, "Phases"), phases(object),
    element("h2", {}, "The last hour"),
    element("div", {class: "charts"}, chart("documents per second", `${Math.round(object.rate).toLocaleString()}/s now`, object.points.map(([seconds, rate]) => [seconds, rate])), ...gates(object)),
    table("History", ["When", "What", "Message"], [...(status.history || [])].reverse().map((each) => [time(each.time), each.reason, each.message || ""])),
  ];
}

function environment(object) {
  const {status} = object;
  const resources = [...(status.indexes || []), ...(status.ttls || [])];
  return [
    element("h2", {}, `Environment ${object.namespace}/${object.name}`), message(object),
    table("Indexes and TTLs", ["Name", "Collection", "State", "Since"], resources.map((each) => [each.name, each.collection || "", each.state, time(each.since)])),
    table("Drift", ["Resource", "Change", "Since"], ((status.drift || {}).changes || []).map((each) => [each.address, each.action, time(each.since)])),
  ];
}

async function view() {
  const [, kind, ...names] = location.hash.split("/");
  if (!kind) return everything(await read("api/objects"));
  const object = await read(`api/${kind}/${names.join("/")}`);
  if (object === null) return [element("p", {class: "message wait"}, element("span", {}, "There is nothing of that name, or this replica stands by. "), element("a", {href: "#/"}, "All objects"))];
  return kind === "rollouts" ? rollout(object) : environment(object);
}

let busy = false, again = false;

async function show() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    main.replaceChildren(...(await view()).filter((part) => part !== null));
    line.textContent = "live";
  } catch (error) {
    line.textContent = `not live: ${error.message}`;
  }
  busy = false;
  if (again) { again = false; await show(); }
}

const events = new EventSource("events");
events.addEventListener("news", show);
events.addEventListener("error", () => { line.textContent = "not live: the operator does not answer; it is asked again"; });
window.addEventListener("hashchange", () => { show(); main.focus(); });
