//! The wizard, as visitors go through it: a form sent, a link followed, an address kept. No JavaScript takes part.
#![expect(
    clippy::print_stderr,
    reason = "durations are told to whoever runs with --nocapture"
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use assistant::app::App;
use assistant::corpus::Corpus;
use assistant::web;
use axum::Router;
use axum::http::StatusCode;

use crate::harness::{Got, block_on, config, data_with_index, get, home_to_break};
use crate::pages::{is_well_made, links, tags};
use crate::store::Service;

/// A site without an index: the wizard needs none.
struct Site {
    router: Router,
    _data: tempfile::TempDir,
}

fn site() -> Site {
    let data = tempfile::tempdir().expect("a temporary folder");
    let app = App::open(config(data.path())).expect("the corpus is sound");
    Site {
        router: web::router(app),
        _data: data,
    }
}

/// A visitor, at an address, before a page.
struct Visitor<'a> {
    router: &'a Router,
    at: String,
    got: Got,
}

impl<'a> Visitor<'a> {
    async fn opens(router: &'a Router, address: &str) -> Self {
        let (at, got) = follow(router, address).await;
        Self { router, at, got }
    }

    fn page(&self) -> &str {
        &self.got.body
    }

    fn title(&self) -> String {
        between(self.page(), "<h1", "</h1>")
    }

    /// What the form of the page would send, its own fields left as they are.
    fn form(&self) -> (String, Vec<(String, String)>) {
        let form = self.page().split("<form").nth(1).expect("a form");
        let form = form.split("</form>").next().expect("its end");
        let form = format!("<form{form}</form>");
        let mut fields = Vec::new();
        let mut select = String::new();
        for tag in tags(&form, "a form") {
            let value = tag.attribute("value").unwrap_or_default();
            let name = tag.attribute("name").unwrap_or_default();
            let on = |word: &str| tag.flag(word);
            match (tag.name, tag.attribute("type").as_deref()) {
                ("input", Some("radio")) if on("checked") => fields.push((name, value)),
                ("input", Some("hidden" | "text")) => fields.push((name, value)),
                ("select", _) => {
                    select = name;
                    fields.push((select.clone(), String::new()));
                }
                ("option", _) if on("selected") => {
                    fields.retain(|(n, _)| *n != select);
                    fields.push((select.clone(), value));
                }
                _ => {}
            }
        }
        let action = tags(&form, "a form")[0].attribute("action");
        (action.expect("an address"), fields)
    }

    /// Fills in fields and sends the form, by its first button or by the one of this name and value.
    async fn sends(&mut self, filled: &[(&str, &str)], button: Option<(&str, &str)>) {
        let (action, mut fields) = self.form();
        for (name, value) in filled {
            let there = self.page().contains(&format!("name=\"{name}\""));
            assert!(there, "{}: no field {name}", self.at);
            match fields.iter_mut().find(|(n, _)| n == name) {
                Some((_, old)) => (*old).clone_from(&(*value).to_owned()),
                None => fields.push(((*name).to_owned(), (*value).to_owned())),
            }
        }
        fields.extend(button.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let query: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let address = format!("{action}?{}", query.join("&"));
        (self.at, self.got) = follow(self.router, &address).await;
    }

    async fn answers(&mut self, filled: &[(&str, &str)]) {
        self.sends(filled, None).await;
    }

    async fn does_not_know(&mut self) {
        let (_, fields) = self.form();
        let asked = fields.iter().find(|(n, _)| n == "demande");
        let asked = asked.expect("the form says what it asks").1.clone();
        assert!(self.page().contains("Je ne sais pas"), "{}", self.at);
        self.sends(&[], Some(("passer", &asked))).await;
    }

    /// Follows the link that reads so.
    async fn follows(&mut self, words: &str) {
        let link = self
            .page()
            .split("<a ")
            .skip(1)
            .find(|rest| {
                let text = rest.split("</a>").next().unwrap_or_default();
                text.contains(words)
            })
            .unwrap_or_else(|| panic!("{}: no link reads {words}", self.at));
        let href = between(&format!("<a {link}"), " href=\"", "\"");
        (self.at, self.got) = follow(self.router, &href).await;
    }
}

fn between(text: &str, from: &str, to: &str) -> String {
    let rest = text.split_once(from).map_or("", |(_, rest)| rest);
    let raw = rest.split(to).next().unwrap_or_default();
    let plain = raw.split('>').next_back().unwrap_or(raw);
    let text = if from.starts_with('<') {
        words(raw)
    } else {
        plain.to_owned()
    };
    text.replace("&#38;", "&").replace("&amp;", "&")
}

/// The words of a piece of a page: its tags are left out.
fn words(markup: &str) -> String {
    let markup = format!("<{}", markup.trim_start_matches('<'));
    markup
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text))
        .collect::<String>()
        .replace("&nbsp;", " ")
        .replace('\u{a0}', " ")
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                out.push(char::from(byte));
            }
            other => write!(out, "%{other:02X}").expect("a string takes it"),
        }
    }
    out
}

/// A page, through the redirections that lead to it.
async fn follow(router: &Router, address: &str) -> (String, Got) {
    let mut at = address.split('#').next().unwrap_or_default().to_owned();
    for _ in 0..3 {
        let got = get(router, &at).await;
        if got.status != StatusCode::SEE_OTHER {
            if got.header("content-type").starts_with("text/html") {
                is_well_made(&got.body, &at);
            }
            return (at, got);
        }
        assert_eq!(got.header("cache-control"), "no-store", "{at}");
        got.header("location").clone_into(&mut at);
    }
    panic!("{address} leads round in circles");
}

/// The status of a condition, as the page says it.
fn status(page: &str, condition: &str) -> String {
    let rest = page.split(&format!("<h3>{condition} ")).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("no condition {condition}"));
    between(rest, "<strong", "</strong>")
}

#[test]
fn a_mayor_is_told_of_the_diagnostic_in_four_answers_and_takes_the_population_of_the_file() {
    block_on(async {
        let site = site();
        let mut mayor = Visitor::opens(&site.router, "/aides/diagnostic-data-ia").await;
        assert!(mayor.page().contains("id=\"eligibilite\""));
        mayor.follows("Commencer").await;
        assert!(
            mayor.title().contains("type d’organisation"),
            "{}",
            mayor.title()
        );
        mayor
            .answers(&[("organisation_kind", "local_authority")])
            .await;
        assert!(mayor.title().contains("commune"), "{}", mayor.title());
        mayor.answers(&[("commune", "Vernon")]).await;
        assert!(mayor.title().contains("population"), "{}", mayor.title());
        assert!(words(mayor.page()).contains("Vernon compte 25 290 habitants"));
        mayor.follows("Prendre cette valeur").await;
        assert!(mayor.title().contains("sont remplies"), "{}", mayor.title());
        assert_eq!(
            mayor.at,
            "/aides/diagnostic-data-ia/eligibilite?organisation_kind=local_authority&commune=Vernon&population=25290"
        );
        let page = mayor.page();
        assert_eq!(status(page, "La population du territoire"), "Remplie");
        assert_eq!(status(page, "L’effectif"), "Sans objet");
        for owed in [
            "L. 311-3-1",
            "La Région Normandie décide",
            "entre 10 000 et 100 000 habitants",
            "Version des règles",
            "Être éligible ne veut pas dire être retenu",
        ] {
            let text = words(page);
            assert!(text.contains(owed) || page.contains(owed), "{owed}");
        }
        assert!(page.contains("href=\"/aides/diagnostic-data-ia#condition-population\""));
    });
}

#[test]
fn a_firm_of_nine_is_refused_at_once_with_its_figure_and_what_would_change_it() {
    block_on(async {
        let site = site();
        let mut firm = Visitor::opens(
            &site.router,
            "/aides/diagnostic-data-ia?organisation_kind=company&headcount_fte=9",
        )
        .await;
        assert!(
            firm.at
                .starts_with("/aides/diagnostic-data-ia/eligibilite?")
        );
        assert!(
            firm.title().contains("n’est pas remplie"),
            "{}",
            firm.title()
        );
        let page = firm.page();
        assert_eq!(status(page, "L’effectif"), "Non remplie");
        let text = words(page);
        assert!(
            text.contains("entre 10 et 250 ETP ; vous indiquez 9 ETP"),
            "{text}"
        );
        assert!(text.contains("Atteindre un effectif de 10 ETP"), "{text}");
        assert!(text.contains("Autres portes"), "{text}");
        // The other door is opened with the same answers.
        firm.follows("Booster IA").await;
        assert_eq!(
            firm.at,
            "/aides/booster-ia/eligibilite?organisation_kind=company&headcount_fte=9"
        );
        assert!(words(firm.page()).contains("9 ETP (sans effet pour cette aide)"));
    });
}

#[test]
fn a_hospital_has_no_condition_of_size_and_a_student_only_that_of_the_team() {
    block_on(async {
        let site = site();
        let mut hospital =
            Visitor::opens(&site.router, "/aides/diagnostic-data-ia/eligibilite").await;
        hospital
            .answers(&[("organisation_kind", "health_establishment")])
            .await;
        hospital.answers(&[("department_code", "50")]).await;
        assert!(
            hospital.title().contains("sont remplies"),
            "{}",
            hospital.title()
        );

        let mut student =
            Visitor::opens(&site.router, "/aides/datathon-normandie/eligibilite").await;
        assert!(student.title().contains("l’équipe"), "{}", student.title());
        student.answers(&[("team_size", "6")]).await;
        assert!(
            student.title().contains("n’est pas remplie"),
            "{}",
            student.title()
        );
        student.follows("Modifier").await;
        assert!(student.page().contains("name=\"team_size\" value=\"6\""));
        student.answers(&[("team_size", "5 personnes")]).await;
        assert!(
            student.title().contains("sont remplies"),
            "{}",
            student.title()
        );
        assert!(words(student.page()).contains("5 000 €"));
    });
}

#[test]
fn back_is_the_address_before_and_what_is_not_known_is_left_aside_and_asked_no_more() {
    block_on(async {
        let site = site();
        let mut visitor = Visitor::opens(&site.router, "/aides/booster-ia/eligibilite").await;
        let mut trail = vec![visitor.at.clone()];
        let mut asked = BTreeSet::from([visitor.title()]);
        while visitor.page().contains("Je ne sais pas</button>") {
            visitor.does_not_know().await;
            trail.push(visitor.at.clone());
            let fresh = asked.insert(visitor.title());
            assert!(fresh, "asked twice: {}", visitor.title());
            assert!(trail.len() < 12, "{trail:?}");
        }
        assert!(
            visitor.title().contains("pas encore répondre"),
            "{}",
            visitor.title()
        );
        assert_eq!(trail.len(), 6, "{trail:?}");
        assert!(visitor.page().contains("Ce qu’il reste à préciser"));
        while let Some(address) = trail.pop() {
            assert_eq!(visitor.at, address);
            visitor.follows("Retour").await;
        }
        assert_eq!(visitor.at, "/aides/booster-ia");

        // A question left aside is answered later, and the rest of the answers stay.
        let mut visitor = Visitor::opens(
            &site.router,
            "/aides/datathon-normandie/eligibilite?passer=team_size",
        )
        .await;
        visitor.follows("Modifier").await;
        visitor.answers(&[("team_size", "3")]).await;
        assert_eq!(
            visitor.at,
            "/aides/datathon-normandie/eligibilite?team_size=3"
        );
        // What was typed before "Je ne sais pas" was chosen does not count.
        let mut visitor =
            Visitor::opens(&site.router, "/aides/datathon-normandie/eligibilite").await;
        visitor
            .sends(&[("team_size", "6")], Some(("passer", "team_size")))
            .await;
        assert_eq!(
            visitor.at,
            "/aides/datathon-normandie/eligibilite?passer=team_size"
        );
    });
}

#[test]
fn faults_stand_at_their_field_and_are_never_lost_nor_turned_into_no() {
    block_on(async {
        let site = site();
        let base = "/aides/diagnostic-data-ia/eligibilite";
        let cases = [
            (
                "organisation_kind=licorne",
                "organisation_kind",
                "Choisissez un type",
            ),
            ("headcount_fte=beaucoup", "headcount_fte", "nombre d’ETP"),
            ("headcount_fte=-3", "headcount_fte", "nombre d’ETP"),
            ("headcount_fte=1000000000", "headcount_fte", "nombre d’ETP"),
            (
                "population=12.000",
                "population",
                "nombre entier d’habitants",
            ),
            ("created_on=31/02/2019", "created_on", "date qui existe"),
            (
                "created_on=2030",
                "created_on",
                "ne suit pas celle de la demande",
            ),
            (
                "application_date=mars+2027",
                "application_date",
                "jour qui existe",
            ),
            (
                "project_uses_ai=peut-%C3%AAtre",
                "project_uses_ai",
                "oui ou par non",
            ),
            ("siret=20005340300017", "siret", "clé de contrôle"),
            ("commune=Trifouillis", "commune", "le nom ou le code Insee"),
            ("commune=61000", "commune", "code postal"),
            ("commune=Barville", "commune", "Plusieurs communes"),
            (
                "commune=Alen%C3%A7on&department_code=14",
                "commune",
                "n’est pas dans le département",
            ),
            (
                "department_code=99",
                "department_code",
                "Choisissez un département",
            ),
            (
                "headcount_fte=9&headcount_fte=30",
                "headcount_fte",
                "une seule valeur",
            ),
            (
                "de_minimis_received_eur=0,001",
                "de_minimis_received_eur",
                "somme en euros",
            ),
            ("budget=20000", "budget-personnel", "par nature de dépense"),
            (
                "budget.services=12.500",
                "budget-services",
                "par nature de dépense",
            ),
            ("budget.licornes=3", "budget-inconnu-1", "n’est pas connue"),
            (
                "demande=headcount_fte&headcount_fte=",
                "headcount_fte",
                "Répondez à la question",
            ),
        ];
        for (query, id, says) in cases {
            let got = get(&site.router, &format!("{base}?{query}")).await;
            assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            is_well_made(&got.body, query);
            assert!(got.body.contains("<title>Erreur\u{a0}: "), "{query}");
            assert!(
                got.body.contains(&format!("<a href=\"#{id}\">")),
                "{query}: {}",
                got.body
            );
            let found = tags(&got.body, query);
            let field = found
                .iter()
                .find(|t| t.attribute("id").as_deref() == Some(id))
                .unwrap_or_else(|| panic!("{query}: no field {id}"));
            // A group of choices is described as a whole.
            let described = field.attribute("aria-describedby").or_else(|| {
                found
                    .iter()
                    .filter(|t| t.name == "fieldset")
                    .find_map(|t| t.attribute("aria-describedby"))
            });
            let described = described.unwrap_or_default();
            let wrong = described
                .split(' ')
                .find(|d| d.ends_with("-erreur"))
                .unwrap_or_else(|| panic!("{query}: {described}"));
            let said = got
                .body
                .split(&format!("id=\"{wrong}\""))
                .nth(1)
                .unwrap_or_default();
            let said = said.split("</p>").next().unwrap_or_default();
            assert!(words(said).contains(says), "{query}: {}", words(said));
            for verdict in ["Non éligible", "Éligible"] {
                assert!(!got.body.contains(verdict), "{query}: a verdict");
            }
        }
        // All at once, each with the value as it was typed; what is sound is carried on.
        let mut visitor = Visitor::opens(
            &site.router,
            &format!("{base}?organisation_kind=company&headcount_fte=beaucoup&created_on=31%2F02%2F2019&activity=service"),
        )
        .await;
        assert!(visitor.page().contains("value=\"beaucoup\""));
        assert!(visitor.page().contains("value=\"31/02/2019\""));
        visitor
            .answers(&[("headcount_fte", "9,5"), ("created_on", "12/03/2019")])
            .await;
        assert_eq!(visitor.got.status, StatusCode::OK);
        assert!(words(visitor.page()).contains("vous indiquez 9,5 ETP"));
        assert!(words(visitor.page()).contains("12 mars 2019"));
        // An ambiguous name is chosen by a link.
        let mut visitor = Visitor::opens(
            &site.router,
            &format!("{base}?organisation_kind=company&commune=Barville"),
        )
        .await;
        visitor.follows("Barville (61026)").await;
        assert!(
            visitor
                .at
                .ends_with("?organisation_kind=company&commune=61026"),
            "{}",
            visitor.at
        );
        // A name of the address that means nothing is told, and what it may do is shown as text only.
        let got = get(
            &site.router,
            &format!("{base}?%3Cscript%3E=1&organisation_kind=company"),
        )
        .await;
        assert_eq!(got.status, StatusCode::OK);
        assert!(got.body.contains("&#60;script&#62;"), "{}", got.body);
        assert_eq!(
            get(&site.router, &format!("{base}?commune=%FF"))
                .await
                .status,
            400
        );
        assert_eq!(
            get(&site.router, "/aides/licorne/eligibilite").await.status,
            404
        );
        assert_eq!(
            get(&site.router, "/aides/licorne?team_size=3").await.status,
            404
        );
    });
}

#[test]
fn figures_and_dates_are_taken_as_french_writes_them() {
    block_on(async {
        let site = site();
        let company = "/aides/diagnostic-data-ia/eligibilite?organisation_kind=company&department_code=14&activity=service";
        for (headcount, created, says) in [
            ("10", "12/03/2019", "sont remplies"),
            ("250 ETP", "mars 2019", "sont remplies"),
            ("9,99", "2019", "n’est pas remplie"),
            ("250.5", "le 1er mars 2019", "n’est pas remplie"),
            ("45", "2019-03-12", "sont remplies"),
        ] {
            let query = format!(
                "&headcount_fte={}&created_on={}",
                encoded(headcount),
                encoded(created)
            );
            let visitor = Visitor::opens(&site.router, &format!("{company}{query}")).await;
            assert!(
                visitor.title().contains(says),
                "{query}: {}",
                visitor.title()
            );
        }
        // A year that holds the bound is asked again, and may be left at that.
        let year = assistant::app::today().year() - 5;
        let mut visitor = Visitor::opens(
            &site.router,
            &format!("{company}&headcount_fte=45&created_on={year}"),
        )
        .await;
        if !visitor.title().contains("sont remplies") {
            assert!(words(visitor.page()).contains(&format!("« {year} », ne permet pas encore")));
            visitor.does_not_know().await;
            assert!(
                visitor.title().contains("pas encore répondre"),
                "{}",
                visitor.title()
            );
        }
    });
}

#[test]
fn the_amount_of_booster_is_told_line_by_line_and_one_partner_alone_is_refused() {
    block_on(async {
        let site = site();
        let mut visitor = Visitor::opens(
            &site.router,
            "/aides/booster-ia/eligibilite?organisation_kind=association&commune=61001&normandy_structure_count=2&project_uses_ai=oui&duration_months=6",
        )
        .await;
        assert!(visitor.title().contains("budget"), "{}", visitor.title());
        visitor
            .answers(&[
                ("budget.services", "20 000"),
                ("budget.intellectual_services", "4 999,98 €"),
                ("budget.equipment", "3000"),
            ])
            .await;
        let text = words(visitor.page());
        assert!(
            text.contains("12 499,99 € pour 24 999,98 € HT de dépenses éligibles"),
            "{text}"
        );
        assert!(text.contains("Équipement3 000 €Non"), "{text}");
        assert!(text.contains("27 999,98 € HT en tout"), "{text}");
        let mut alone = Visitor::opens(
            &site.router,
            "/aides/booster-ia/eligibilite?normandy_structure_count=1",
        )
        .await;
        assert!(
            alone.title().contains("n’est pas remplie"),
            "{}",
            alone.title()
        );
        assert!(words(alone.page()).contains("Associer au projet un autre partenaire normand"));
        alone.follows("Indiquer le budget").await;
        assert!(alone.title().contains("budget"), "{}", alone.title());
    });
}

#[test]
fn all_questions_stand_on_one_page_and_some_may_stay_empty() {
    block_on(async {
        let site = site();
        let mut visitor = Visitor::opens(&site.router, "/aides/booster-ia/eligibilite").await;
        visitor.follows("toutes les questions").await;
        visitor
            .answers(&[
                ("organisation_kind", "company"),
                ("commune", "Vire"),
                ("project_uses_ai", "oui"),
                ("duration_months", "7"),
            ])
            .await;
        assert!(
            visitor.title().contains("n’est pas remplie"),
            "{}",
            visitor.title()
        );
        visitor.follows("Corriger toutes les réponses").await;
        assert!(
            visitor.page().contains("value=\"Vire\"") && visitor.page().contains("value=\"7\"")
        );
        visitor
            .answers(&[("duration_months", "5,5"), ("budget.services", "trop")])
            .await;
        assert_eq!(visitor.got.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            visitor.page().contains("value=\"trop\"") && visitor.page().contains("value=\"5,5\"")
        );
        visitor.answers(&[("budget.services", "1 000")]).await;
        assert!(
            visitor.title().contains("pas encore répondre"),
            "{}",
            visitor.title()
        );
        assert!(visitor.at.contains("commune=Vire") && visitor.at.contains("etape=resultat"));
    });
}

#[test]
fn a_result_is_given_again_by_its_address_on_the_day_it_was_computed_for() {
    block_on(async {
        let site = site();
        let mut visitor = Visitor::opens(
            &site.router,
            "/aides/diagnostic-data-ia/eligibilite?organisation_kind=health_establishment&commune=Caen&application_date=28/02/2026",
        )
        .await;
        assert!(
            visitor.title().contains("n’est pas remplie"),
            "{}",
            visitor.title()
        );
        assert!(words(visitor.page()).contains("28 février 2026"));
        visitor.follows("L’adresse qui redonne ce résultat").await;
        assert!(
            visitor.at.contains("application_date=2026-02-28"),
            "{}",
            visitor.at
        );
        assert!(
            visitor.title().contains("n’est pas remplie"),
            "{}",
            visitor.title()
        );
        visitor.follows("Changer la date").await;
        visitor
            .answers(&[("application_date", "1er mars 2026")])
            .await;
        assert!(
            visitor.title().contains("sont remplies"),
            "{}",
            visitor.title()
        );
    });
}

#[test]
fn de_minimis_aid_is_added_up_over_three_rolling_years_and_carried_to_the_wizard() {
    block_on(async {
        let site = site();
        let mut firm = Visitor::opens(
            &site.router,
            "/aides/diagnostic-data-ia/eligibilite?organisation_kind=company&commune=Caen&headcount_fte=45&activity=service&created_on=2012&application_date=24/11/2026",
        )
        .await;
        firm.follows("Additionner vos aides de minimis").await;
        assert!(firm.at.contains("organisation_kind=company"), "{}", firm.at);
        let page = "/aides/diagnostic-data-ia/aides-de-minimis?organisation_kind=company&application_date=2026-11-24";
        // To the day: three years before, a day later, that day, the day after.
        let lines = "&date=24/11/2023&montant=1000&libelle=Trop+vieille&date=25/11/2023&montant=10+000,50&libelle=&date=24+novembre+2026&montant=200+000&libelle=Conseil&date=2026-11-25&montant=5&libelle=";
        let mut firm = Visitor::opens(&site.router, &format!("{page}{lines}")).await;
        let text = words(firm.page());
        assert!(
            text.contains("Total sur 3 ans glissants : 210 000,50 €"),
            "{text}"
        );
        assert!(
            text.contains("le plafond actuel est de 300 000 €"),
            "{text}"
        );
        assert!(text.contains("il reste 89 999,50 €"), "{text}");
        assert!(text.contains("L’assistant ne décide rien"), "{text}");
        assert_eq!(
            text.matches("Non, elle est trop ancienne").count(),
            1,
            "{text}"
        );
        assert_eq!(
            text.matches("Non, elle est postérieure").count(),
            1,
            "{text}"
        );
        firm.follows("Reporter ce total").await;
        assert!(
            firm.at.contains("de_minimis_received_eur=210000.5"),
            "{}",
            firm.at
        );
        assert!(words(firm.page()).contains("210 000,50 €"));

        let over = format!("{page}&date=01/01/2026&montant=300000,01");
        let over = Visitor::opens(&site.router, &over).await;
        assert!(words(over.page()).contains("il est atteint ou dépassé"));
        // Nothing decided: the conditions are what they were.
        let mut over = over;
        over.follows("Reporter ce total").await;
        assert!(
            over.title().contains("pas encore répondre"),
            "{}",
            over.title()
        );

        // One line is wrong: it is said there, and no line is lost.
        let wrong =
            format!("{page}&date=mars+2025&montant=12.000&libelle=Salon&date=1/1/2026&montant=3");
        let wrong = get(&site.router, &wrong).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        for kept in [
            "value=\"mars 2025\"",
            "value=\"12.000\"",
            "value=\"Salon\"",
            "value=\"1/1/2026\"",
            "href=\"#date-1\"",
            "href=\"#montant-1\"",
        ] {
            assert!(wrong.body.contains(kept), "{kept}");
        }
        assert!(!wrong.body.contains("Total sur"));
        assert_eq!(
            get(&site.router, "/aides/datathon-normandie/aides-de-minimis")
                .await
                .status,
            404
        );
        let many = format!("{page}{}", "&montant=1".repeat(101));
        assert_eq!(get(&site.router, &many).await.status, 422);
    });
}

#[test]
fn the_grid_adds_up_one_s_own_marks_and_says_the_floor_of_the_text() {
    block_on(async {
        let site = site();
        let mut visitor = Visitor::opens(&site.router, "/aides/booster-ia").await;
        visitor.follows("Apprécier vous-même votre projet").await;
        let text = words(visitor.page());
        assert!(text.contains("pas une note de la Région"), "{text}");
        for points in ["De 0 à 20 points", "De 0 à 30 points", "De 0 à 10 points"] {
            assert!(text.contains(points), "{points}");
        }
        assert!(
            text.contains("La faisabilité de la preuve de concept (note /30)"),
            "{text}"
        );
        let notes = |marks: [&str; 6]| {
            let ids = [
                "qualite",
                "faisabilite",
                "interet-regional",
                "numerique-responsable",
                "securite",
                "reproductibilite",
            ];
            let pairs: Vec<String> = ids
                .iter()
                .zip(marks)
                .map(|(id, m)| format!("note.critere-{id}={m}"))
                .collect();
            format!(
                "/aides/booster-ia/auto-evaluation?commune=Vernon&{}",
                pairs.join("&")
            )
        };
        for (marks, total, says) in [
            (
                ["20", "30", "20", "10", "10", "10"],
                "100 sur 100",
                "atteint le seuil",
            ),
            (
                ["10", "15", "10", "5", "5", "5"],
                "50 sur 100",
                "atteint le seuil",
            ),
            (
                ["10", "15", "10", "5", "5", "4,5"],
                "49,5 sur 100",
                "est sous le seuil",
            ),
            (
                ["20", "30", "", "", "", ""],
                "50 sur 100",
                "atteint le seuil",
            ),
            (
                ["0", "0", "0", "", "", ""],
                "0 sur 100",
                "est sous le seuil",
            ),
            (
                ["12", "", "", "", "", ""],
                "12 sur 100",
                "ne dit pas encore",
            ),
        ] {
            let got = get(&site.router, &notes(marks)).await;
            assert_eq!(got.status, StatusCode::OK);
            let text = words(&got.body);
            assert!(
                text.contains(&format!("Votre total : {total}")),
                "{marks:?}: {text}"
            );
            assert!(
                text.contains(says) && text.contains("votre propre appréciation"),
                "{marks:?}"
            );
        }
        for marks in [
            ["21", "", "", "", "", ""],
            ["-1", "", "", "", "", ""],
            ["moyen", "8", "", "", "", ""],
        ] {
            let got = get(&site.router, &notes(marks)).await;
            assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{marks:?}");
            assert!(
                got.body.contains(&format!("value=\"{}\"", marks[0])),
                "{marks:?}"
            );
            assert!(
                got.body.contains("href=\"#note-critere-qualite\""),
                "{marks:?}"
            );
            assert!(!got.body.contains("Votre total"), "{marks:?}");
        }
        // What was answered in the wizard is found again, and a mark enters no verdict.
        let mut visitor = Visitor::opens(&site.router, &notes(["20", "", "", "", "", ""])).await;
        visitor.follows("Retour").await;
        assert_eq!(visitor.at, "/aides/booster-ia/eligibilite?commune=Vernon");
        assert_eq!(
            get(&site.router, "/aides/datathon-normandie/auto-evaluation")
                .await
                .status,
            404
        );
    });
}

#[test]
fn a_grid_that_does_not_say_what_the_text_says_is_a_fault() {
    for (from, to, says) in [
        (
            "floor = 50",
            "floor = 60",
            "le seuil n’est pas dans la citation",
        ),
        (
            "out_of = 100",
            "out_of = 90",
            "100 points en tout, et non 90",
        ),
        (
            "\"critere-securite\", ",
            "",
            "90 points en tout, et non 100",
        ),
        (
            "\"critere-securite\"",
            "\"note-minimale\"",
            "n’est pas un critère noté",
        ),
    ] {
        let home = home_to_break();
        let file = home.path().join("corpus/programmes/booster-ia.toml");
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert!(text.contains(from), "{from}");
        let grid = text.find("[grid]").expect("a grid");
        let (before, after) = text.split_at(grid);
        std::fs::write(&file, format!("{before}{}", after.replacen(from, to, 1))).expect("written");
        let faults = Corpus::read(home.path()).expect_err("a fault");
        assert!(faults.to_string().contains(says), "{from}: {faults}");
    }
}

/// Addresses that show each kind of page.
const STATES: [&str; 12] = [
    "/aides/diagnostic-data-ia/aides-de-minimis?organisation_kind=company&date=12/03/2025&montant=20000&libelle=Conseil",
    "/aides/booster-ia/aides-de-minimis?date=hier&montant=beaucoup",
    "/aides/booster-ia/auto-evaluation?note.critere-qualite=12",
    "/aides/booster-ia/auto-evaluation?commune=Vernon&note.critere-qualite=21",
    "/aides/booster-ia/eligibilite",
    "/aides/diagnostic-data-ia/eligibilite?organisation_kind=local_authority&commune=Vernon",
    "/aides/diagnostic-data-ia/eligibilite?etape=tout",
    "/aides/diagnostic-data-ia/eligibilite?organisation_kind=company&commune=Barville&headcount_fte=x",
    "/aides/booster-ia/eligibilite?organisation_kind=company&etape=resultat&de_minimis_received_eur=12000",
    "/aides/diagnostic-data-ia/eligibilite?organisation_kind=company&headcount_fte=9",
    "/aides/booster-ia/eligibilite?organisation_kind=company&commune=Vernon&normandy_structure_count=2&project_uses_ai=oui&duration_months=5&budget.services=20000&budget.equipment=3000",
    "/aides/datathon-normandie/eligibilite?team_size=5",
];

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    block_on(async {
        let site = site();
        let mut seen = BTreeSet::new();
        for state in STATES {
            let got = get(&site.router, state).await;
            is_well_made(&got.body, state);
            for link in links(&got.body, state) {
                let Some(target) = link.strip_prefix('/') else {
                    let here = link.strip_prefix('#');
                    let there = here.is_none_or(|id| got.body.contains(&format!("id=\"{id}\"")));
                    assert!(there, "{state}: {link}");
                    continue;
                };
                // The chat waits for its index here.
                if target.is_empty() || target.starts_with('?') || !seen.insert(link.clone()) {
                    continue;
                }
                let (at, there) = follow(&site.router, &link).await;
                // What is still faulty is to be mended there too.
                let mended = got.status.is_success() || there.status != 422;
                assert!(
                    there.status.is_success() || !mended,
                    "{state}: {link}: {}",
                    there.status
                );
                if let Some((_, id)) = link.split_once('#') {
                    assert!(
                        there.body.contains(&format!("id=\"{id}\"")),
                        "{state}: {at}#{id}"
                    );
                }
            }
        }
        assert!(seen.len() > 80, "only {} links", seen.len());
    });
}

#[test]
fn pages_with_answers_are_kept_by_no_cache_nor_search_engine_and_told_to_no_one() {
    block_on(async {
        let site = site();
        let mut states = STATES.to_vec();
        states.push("/aides/booster-ia?team_size=3");
        for state in states {
            let got = get(&site.router, state).await;
            assert_eq!(got.header("cache-control"), "no-store", "{state}");
            assert!(got.header("x-robots-tag").contains("noindex"), "{state}");
            assert_eq!(got.header("referrer-policy"), "same-origin", "{state}");
            assert!(
                got.header("content-security-policy")
                    .contains("default-src 'none'")
            );
            assert!(!got.body.contains("<script"), "{state}: a script");
        }
        // The page of the aid itself says nothing of anyone.
        let page = get(&site.router, "/aides/booster-ia").await;
        assert!(page.header("cache-control").contains("public"));
    });
}

#[test]
fn nothing_of_an_address_is_in_the_most_talkative_log_but_the_kind_of_page() {
    let data = data_with_index();
    let mut service = Service::start(data.path(), "trace", &[]);
    for state in STATES {
        service.call("GET", state, "", "");
    }
    service.call("GET", "/aides/booster-ia?commune=Vernon", "", "");
    service.kill();
    let log = service.log();
    for told in ["eligibilite", "aides-de-minimis", "auto-evaluation"] {
        let route = format!("GET /aides/{{id}}/{told} ");
        assert!(log.contains(&route), "{told}");
    }
    for word in [
        "Vernon",
        "Barville",
        "organisation_kind",
        "commune=",
        "20000",
        "Conseil",
        "note.",
    ] {
        let leak = log.lines().find(|l| l.contains(word));
        assert_eq!(leak, None, "{word}");
    }
}

#[test]
fn a_page_takes_less_than_ten_milliseconds() {
    block_on(async {
        let site = site();
        // The territory is read when first asked for.
        get(&site.router, STATES[1]).await;
        let mut times = Vec::new();
        for round in 0..500 {
            let state = STATES[round % STATES.len()];
            let started = Instant::now();
            get(&site.router, state).await;
            times.push(started.elapsed());
        }
        times.sort();
        eprintln!(
            "GET eligibilite: p50 {:?}, p99 {:?}",
            times[250], times[495]
        );
        // The target is 10 ms; tests share the machine with others.
        assert!(times[250] < Duration::from_millis(10), "{:?}", times[250]);
    });
}
