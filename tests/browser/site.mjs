// The assistant itself, on a free port of loopback, and a real Chromium: started for a run, ended with it.
//
//   CHROMIUM        the browser; else the first of chromium, chromium-browser, google-chrome on the path
//   ASSISTANT       the program; else target/debug/assistant, in CARGO_TARGET_DIR if it is set
//   ASSISTANT_DATA  its data folder; else data/browser: the first run builds an index there

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const here = import.meta.dirname;
const home = resolve(here, "../..");
const axe = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");

/** Rules of WCAG 2.2 up to AA, and axe-core's own advice. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Building an index takes minutes on two cores. */
const READY_MS = 15 * 60_000;

/** A narrow telephone, or 400 % of a wide screen; and a wide screen. */
export const WIDTHS = [320, 1280];

export async function open() {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const program = process.env.ASSISTANT
    ?? join(process.env.CARGO_TARGET_DIR ?? join(home, "target"), "debug/assistant");
  if (!existsSync(program)) throw new Error(`${program} is not there: run cargo build, or set ASSISTANT`);
  const data = process.env.ASSISTANT_DATA ?? join(home, "data/browser");
  const server = spawn(program, ["serve", "--home", home, "--data-dir", data, "--addr", `127.0.0.1:${port}`], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, QDRANT_URL: "" },
  });
  const ended = new Promise((done) => server.once("exit", done));
  try {
    await ready(base, server);
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? installed(),
      // Containers seldom let a browser build a sandbox of its own; it opens nothing but the pages above.
      args: ["--no-sandbox"],
    });
    return {
      base,
      browser,
      close: async () => {
        await browser.close();
        server.kill("SIGTERM");
        await ended;
      },
    };
  } catch (error) {
    server.kill("SIGTERM");
    await ended;
    throw error;
  }
}

/**
 * A page of its own. `scripts: false` disables JavaScript, as a visitor may; `judged: true` lets axe-core in,
 * which the Content-Security-Policy of the site otherwise keeps out.
 */
export async function page(site, { width = 1280, scripts = true, judged = false, dark = false } = {}) {
  const context = await site.browser.newContext({
    baseURL: site.base,
    viewport: { width, height: width === 320 ? 640 : 900 },
    javaScriptEnabled: scripts,
    bypassCSP: judged,
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    locale: "fr-FR",
  });
  context.setDefaultTimeout(20_000);
  return context.newPage();
}

/** What axe-core finds wrong, and whether one has to scroll sideways to read. */
export async function faults(tab) {
  await tab.evaluate(axe);
  const found = await tab.evaluate(async (rules) => {
    const { violations } = await globalThis.axe.run(document, { runOnly: rules });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
  }, RULES);
  return found.concat(await sideways(tab));
}

export async function sideways(tab) {
  const over = await tab.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
  return over > 0 ? [`${over} px too wide`] : [];
}

/** Presses Tab until the element with the focus is one of those wanted; it must then be seen to have it. */
export async function tabTo(tab, selector) {
  for (let pressed = 0; pressed < 150; pressed += 1) {
    await tab.keyboard.press("Tab");
    const focus = await tab.evaluate((wanted) => {
      const at = document.activeElement;
      if (!at?.matches(wanted)) return null;
      const box = at.getBoundingClientRect();
      const style = getComputedStyle(at);
      const inside = box.bottom > 0 && box.top < globalThis.innerHeight && box.width > 0;
      return { seen: inside && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
    }, selector);
    if (focus) {
      if (!focus.seen) throw new Error(`${tab.url()}: the focus on ${selector} is not seen`);
      return;
    }
  }
  throw new Error(`${tab.url()}: Tab never comes to ${selector}`);
}

function installed() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // The next one.
    }
  }
  throw new Error("no Chromium: install the package chromium, or set CHROMIUM");
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => listener.once("listening", done));
  const { port } = listener.address();
  await new Promise((done) => listener.close(done));
  return port;
}

async function ready(base, server) {
  const until = Date.now() + READY_MS;
  while (Date.now() < until) {
    if (server.exitCode !== null) throw new Error(`the assistant ended with ${server.exitCode}`);
    const answer = await fetch(`${base}/health/ready`).catch(() => null);
    if (answer?.status === 200) return;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error("the assistant is not ready in time");
}
