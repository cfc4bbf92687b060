// The pages as people meet them in a browser: 0 faults of axe-core, nothing to scroll sideways, the keyboard
// alone, with JavaScript and without. `npm test` here, once `cargo build` is done; `.ci/run` does both.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WIDTHS, faults, open, page, sideways, tabTo } from "./site.mjs";

let site;
before(async () => {
  site = await open();
});
after(async () => {
  await site?.close();
});

const COMPANY = "organisation_kind=company&commune=Vernon";
const PROJECT = `${COMPANY}&normandy_structure_count=2&project_uses_ai=oui&duration_months=5`;

/** Each kind of page, and each state of the wizard. */
const PAGES = {
  chat: "/",
  aids: "/aides",
  "aids, none": "/aides?pour=association&forme=accompagnement",
  aid: "/aides/booster-ia",
  datasets: "/jeux-de-donnees?q=v%C3%A9lo",
  guide: "/guides/ouvrir-un-csv",
  "how it works": "/comment-ca-marche",
  accessibility: "/accessibilite",
  privacy: "/donnees-personnelles",
  legal: "/mentions-legales",
  "not there": "/nulle-part",
  "wizard: choices": "/aides/diagnostic-data-ia/eligibilite",
  "wizard: place": "/aides/booster-ia/eligibilite",
  "wizard: suggestion": "/aides/diagnostic-data-ia/eligibilite?organisation_kind=local_authority&commune=Vernon",
  "wizard: vague": "/aides/diagnostic-data-ia/eligibilite?organisation_kind=company&commune=Vernon&headcount_fte=45&activity=service&created_on=2021",
  "wizard: budget": `/aides/booster-ia/eligibilite?${PROJECT}`,
  "wizard: all": "/aides/booster-ia/eligibilite?etape=tout",
  "wizard: unanswered": "/aides/datathon-normandie/eligibilite?demande=team_size&team_size=",
  "wizard: faults": "/aides/booster-ia/eligibilite?organisation_kind=licorne&commune=Barville&headcount_fte=x&budget.services=12.500&budget.licornes=3&licorne=1",
  "wizard: eligible": `/aides/booster-ia/eligibilite?${PROJECT}&budget.services=20000&budget.equipment=3000&de_minimis_received_eur=12000`,
  "wizard: not eligible": "/aides/diagnostic-data-ia/eligibilite?organisation_kind=company&headcount_fte=9",
  "wizard: undetermined": "/aides/booster-ia/eligibilite?organisation_kind=company&etape=resultat",
  "de minimis": "/aides/diagnostic-data-ia/aides-de-minimis?organisation_kind=company",
  "de minimis: total": "/aides/diagnostic-data-ia/aides-de-minimis?organisation_kind=company&date=12/03/2025&montant=20000&libelle=Conseil&date=1/1/2020&montant=5",
  "de minimis: faults": "/aides/booster-ia/aides-de-minimis?date=hier&montant=beaucoup",
  grid: "/aides/booster-ia/auto-evaluation",
  "grid: total": "/aides/booster-ia/auto-evaluation?note.critere-qualite=12&note.critere-faisabilite=20",
  "grid: fault": "/aides/booster-ia/auto-evaluation?note.critere-qualite=21",
  "wizard: contest": "/aides/datathon-normandie/eligibilite?team_size=5",
};

for (const [name, address] of Object.entries(PAGES)) {
  test(`${name}: no fault, narrow or wide, light or dark`, async () => {
    for (const width of WIDTHS) {
      for (const dark of [false, true]) {
        const tab = await page(site, { width, dark, judged: true });
        await tab.goto(address);
        // What is folded is judged too.
        await tab.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
        assert.deepEqual(await faults(tab), [], `${width} px${dark ? ", dark" : ""}`);
        await tab.context().close();
      }
    }
  });
}

test("no page asks for what its own Content-Security-Policy forbids, nor for anything elsewhere", async () => {
  const tab = await page(site);
  const complaints = [];
  tab.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("request", (request) => request.url().startsWith(site.base) || complaints.push(request.url()));
  for (const address of Object.values(PAGES)) {
    complaints.length = 0;
    const answer = await tab.goto(address);
    // The browser itself notes a status of refusal.
    const noted = complaints.filter((c) => answer.ok() || !c.startsWith("Failed to load resource"));
    assert.deepEqual(noted, [], address);
  }
  await tab.context().close();
});

test("a fault is seen where there is one", async () => {
  const tab = await page(site, { width: 320, judged: true });
  await tab.goto("/aides");
  await tab.evaluate(() => {
    const field = document.createElement("input");
    field.type = "text";
    const wide = document.createElement("p");
    wide.style.inlineSize = "400px";
    wide.textContent = "Trop large";
    document.querySelector("main").append(field, wide);
  });
  const found = (await faults(tab)).join("\n");
  assert.match(found, /^label: /m);
  assert.match(found, /px too wide$/m);
  await tab.context().close();
});

// axe-core is a script itself: it judges pages whose own scripts were kept away, rather than pages without any.
const SCRIPTS = { "with JavaScript": "all", "without the site’s JavaScript": "none of ours", "JavaScript disabled": "none" };

for (const [how, scripts] of Object.entries(SCRIPTS)) {
  for (const width of WIDTHS) {
    test(`a question, by the keyboard alone, ${how}, ${width} px`, async () => {
      const tab = await page(site, { width, judged: scripts !== "none", scripts: scripts !== "none" });
      if (scripts === "none of ours") await tab.route(/\.js$/, (route) => route.abort());
      const judged = scripts === "none" ? sideways : faults;
      await tab.goto("/");
      assert.equal(await tab.evaluate(() => typeof globalThis.htmx), scripts === "all" ? "object" : "undefined");
      await tabTo(tab, "#message");
      await tab.keyboard.type("Quel est le montant de Booster IA ?");
      await tabTo(tab, "#envoyer");
      await tab.keyboard.press("Enter");
      await tab.waitForSelector(".turn");
      if (scripts === "all") assert.deepEqual(await judged(tab), [], "while the answer comes");
      await tab.waitForSelector(".sources details");
      assert.match(await tab.textContent(".turn .answer"), /12[\s\u00a0]500/);
      assert.deepEqual(await judged(tab), [], "once it is there");
      await tabTo(tab, ".sources summary");
      await tab.keyboard.press("Enter");
      assert.equal(await tab.locator(".sources details[open]").count(), 1);
      assert.deepEqual(await judged(tab), [], "with its source open");
      await tab.context().close();
    });
  }
}

for (const [how, scripts] of Object.entries(SCRIPTS)) {
  for (const width of WIDTHS) {
    test(`a verdict in the chat, by the keyboard alone, ${how}, ${width} px`, async () => {
      const tab = await page(site, { width, judged: scripts !== "none", scripts: scripts !== "none" });
      if (scripts === "none of ours") await tab.route(/\.js$/, (route) => route.abort());
      const judged = scripts === "none" ? sideways : faults;
      await tab.goto("/");
      const says = async (message, turn) => {
        await tabTo(tab, "#message");
        await tab.keyboard.type(message);
        await tabTo(tab, "#envoyer");
        await tab.keyboard.press("Enter");
        await tab.locator(".turn").nth(turn).locator(".verdict").waitFor();
      };
      await says("Booster IA : je dirige une entreprise à Rouen, avec l’université de Caen, sur 4 mois. On peut l’avoir ?", 0);
      assert.match(await tab.textContent(".turn .verdict h3"), /À préciser/);
      assert.deepEqual(await judged(tab), [], "with a question back");
      // The answer to it is a button.
      await tabTo(tab, ".choices button");
      await tab.keyboard.press("Enter");
      await tab.locator(".turn").nth(1).locator(".verdict").waitFor();
      assert.match(await tab.locator(".turn").nth(1).locator(".verdict h3").textContent(), /Conditions remplies/);
      await says("en fait sur 8 mois", 2);
      const last = tab.locator(".turn").nth(2);
      assert.match(await last.locator(".verdict h3").textContent(), /non remplies/);
      await tab.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
      assert.deepEqual(await judged(tab), [], "with three verdicts, all open");
      // The form has what was told, and the same answer.
      await tab.goto(await last.locator(".verdict .onward a").nth(1).getAttribute("href"));
      assert.match(await tab.textContent("main"), /8\s*mois/);
      assert.match(await tab.textContent("main h1"), /pas remplie|non remplie|n’est pas|pas éligible/i);
      await tab.context().close();
    });
  }
}

for (const scripts of [true, false]) {
  const how = scripts ? "with JavaScript" : "JavaScript disabled";
  for (const width of WIDTHS) {
    test(`the whole wizard, by the keyboard alone, ${how}, ${width} px`, async () => {
      const tab = await page(site, { width, scripts });
      const enter = async (selector) => {
        await tabTo(tab, selector);
        await Promise.all([tab.waitForNavigation(), tab.keyboard.press("Enter")]);
        assert.deepEqual(await sideways(tab), [], tab.url());
      };
      const type = async (selector, text) => {
        await tabTo(tab, selector);
        await tab.keyboard.type(text);
        await enter("main button[type=submit]");
      };
      const title = () => tab.textContent("h1");
      await tab.goto("/aides/booster-ia");
      await enter("#eligibilite a.button");
      // A fault: the summary leads to the field, the value is kept.
      await type("#commune", "Trifouillis");
      assert.match(await tab.title(), /^Erreur/);
      await tabTo(tab, ".faults a");
      await tab.keyboard.press("Enter");
      assert.equal(await tab.evaluate(() => document.activeElement.id), "commune");
      assert.equal(await tab.inputValue("#commune"), "Trifouillis");
      await tab.keyboard.press("ControlOrMeta+a");
      await tab.keyboard.type("Vernon");
      await enter("main button[type=submit]");
      while (!(await tab.locator("h1 + p .status").count())) {
        const asked = await title();
        if (/structures/.test(asked)) await type("#normandy_structure_count", "2");
        else if (/mois/.test(asked)) await type("#duration_months", "4,5");
        else if (/budget/.test(asked)) await type("#budget-services", "20 000");
        else {
          const choice = /IA/.test(asked) ? "[name=project_uses_ai]" : "[name=organisation_kind]";
          await tabTo(tab, choice);
          await tab.keyboard.press("Space");
          await enter("main button[type=submit]");
        }
      }
      assert.match(await title(), /sont remplies/);
      assert.match(await tab.textContent(".amount"), /10[\s\u00a0]000/);
      await tabTo(tab, ".criteria summary");
      await tab.keyboard.press("Enter");
      assert.equal(await tab.locator(".criteria details[open]").count(), 1);
      // Back to each address before, and to the aid.
      await enter(".crumbs a");
      assert.match(await title(), /budget/);
      await tab.goBack();
      assert.match(await title(), /sont remplies/);
      await tab.context().close();
    });
  }
}

test("marks and aids are added up, by the keyboard alone, JavaScript disabled", async () => {
  const tab = await page(site, { width: 320, scripts: false });
  const send = async () => {
    await tabTo(tab, "main button[type=submit]");
    await Promise.all([tab.waitForNavigation(), tab.keyboard.press("Enter")]);
    assert.deepEqual(await sideways(tab), [], tab.url());
  };
  await tab.goto(PAGES.grid);
  for (const mark of ["12", "20,5"]) {
    await tabTo(tab, "form input[type=text]");
    await tab.keyboard.type(mark);
  }
  await send();
  assert.match(await tab.textContent("#total"), /32,5 sur 100/);
  await tab.goto(PAGES["de minimis"]);
  for (const typed of ["12/03/2025", "1 234,56 €"]) {
    await tabTo(tab, "form input[type=text]");
    await tab.keyboard.type(typed);
  }
  await send();
  assert.match(await tab.textContent("#total"), /1[\s\u00a0]234,56/);
  await tab.context().close();
});

test("a result is printed whole, and without what one cannot press on paper", async () => {
  const tab = await page(site);
  await tab.goto(PAGES["wizard: eligible"]);
  await tab.emulateMedia({ media: "print" });
  for (const hidden of [".wizard .crumbs", ".answers .change", ".wizard .plain", "header.site nav"]) {
    assert.equal(await tab.locator(hidden).first().isVisible(), false, hidden);
  }
  for (const shown of [".criteria h3", ".criteria blockquote", ".account", ".lines"]) {
    assert.equal(await tab.locator(shown).first().isVisible(), true, shown);
  }
  const shown = await tab.evaluate(() => {
    const folded = document.querySelector(".criteria details");
    return getComputedStyle(folded, "::details-content").contentVisibility;
  });
  assert.equal(shown, "visible");
  assert.ok((await tab.pdf()).length > 10_000);
  await tab.context().close();
});
