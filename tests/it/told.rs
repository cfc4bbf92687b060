//! Facts from a conversation: what people write of themselves, taken at its ordinary meaning, shown back with
//! its words, corrected, kept from turn to turn; never invented, never dropped in silence.

use assistant::answer::Answer;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{app, block_on};

/// The answers to the turns of one conversation.
fn told(turns: &[&str]) -> Vec<Answer> {
    let app = app();
    block_on(async {
        let mut conversation: Option<Uuid> = None;
        let mut answers = Vec::new();
        for turn in turns {
            let reply = app.converse(conversation, turn).await.expect("an answer");
            conversation = Some(reply.conversation);
            answers.push(reply.answered.answer);
        }
        answers
    })
}

fn verdict(answer: &Answer) -> &str {
    let verdict = answer.eligibility.as_ref().expect("a verdict");
    verdict["verdict"].as_str().expect("a word")
}

#[test]
fn what_people_write_becomes_facts_at_its_ordinary_meaning() {
    let cases: [(&str, &str, Value); 40] = [
        (
            "diagnostic-data-ia",
            "nous sommes une commune de 12k habitants",
            json!({"organisation_kind": "local_authority", "population": 12000}),
        ),
        (
            "diagnostic-data-ia",
            "on est une boîte de douze personnes à Caen",
            json!({"organisation_kind": "company", "headcount_fte": 12, "commune": "Caen"}),
        ),
        (
            "diagnostic-data-ia",
            "Notre PME emploie 9,5 ETP",
            json!({"organisation_kind": "company", "headcount_fte": 9.5}),
        ),
        (
            "diagnostic-data-ia",
            "nous avons une quinzaine de salariés",
            json!({"headcount_fte": 15}),
        ),
        (
            "diagnostic-data-ia",
            "nous avons une dizaine de salariés",
            json!({"headcount_fte": null}),
        ),
        (
            "diagnostic-data-ia",
            "nous avons environ 40 salariés",
            json!({"headcount_fte": 40}),
        ),
        (
            "diagnostic-data-ia",
            "nous avons entre 9 et 12 salariés",
            json!({"headcount_fte": null}),
        ),
        (
            "diagnostic-data-ia",
            "nous avons moins de 20 salariés",
            json!({"headcount_fte": null}),
        ),
        (
            "diagnostic-data-ia",
            "notre usine a plus de 400 salariés",
            json!({"headcount_fte": 400, "activity": "production"}),
        ),
        (
            "diagnostic-data-ia",
            "notre société a été créée en mars 2019",
            json!({"created_on": "2019-03"}),
        ),
        (
            "diagnostic-data-ia",
            "notre société a été fondée le 12/03/2019",
            json!({"created_on": "2019-03-12"}),
        ),
        (
            "diagnostic-data-ia",
            "notre société existe depuis 1998",
            json!({"created_on": "1998"}),
        ),
        (
            "diagnostic-data-ia",
            "notre entreprise a huit ans",
            json!({"created_on": "2018"}),
        ),
        (
            "diagnostic-data-ia",
            "notre entreprise a été créée il y a 18 mois",
            json!({"created_on": "2025-05"}),
        ),
        (
            "diagnostic-data-ia",
            "nous sommes un cabinet de conseil de 30 salariés à Lisieux",
            json!({"activity": "service", "headcount_fte": 30, "commune": "Lisieux"}),
        ),
        (
            "diagnostic-data-ia",
            "Je représente la clinique de Deauville",
            json!({"organisation_kind": "health_establishment", "commune": "Deauville"}),
        ),
        (
            "diagnostic-data-ia",
            "Je dirige une association de 30 salariés dans l’Eure",
            json!({"organisation_kind": "association", "department_code": "27"}),
        ),
        (
            "diagnostic-data-ia",
            "nous sommes un syndicat mixte de 45 000 habitants dans la Manche",
            json!({"organisation_kind": "local_authority_group", "population": 45000, "department_code": "50"}),
        ),
        (
            "diagnostic-data-ia",
            "Ici la communauté de communes du Pays de Honfleur-Beuzeville",
            json!({"organisation_kind": "local_authority_group", "department_code": "14", "population": 27103}),
        ),
        (
            "diagnostic-data-ia",
            "Nous sommes la mairie de Vernon",
            json!({"organisation_kind": "local_authority", "commune": "Vernon", "population": 25290}),
        ),
        (
            "diagnostic-data-ia",
            "Nous sommes la mairie de Vernon, 26 000 habitants",
            json!({"population": 26000}),
        ),
        (
            "diagnostic-data-ia",
            "notre entreprise est au Havre",
            json!({"commune": "le Havre"}),
        ),
        (
            "diagnostic-data-ia",
            "notre entreprise est basée à Rennes",
            json!({"commune": "Rennes"}),
        ),
        (
            "diagnostic-data-ia",
            "notre entreprise est à Cherbourg",
            json!({"commune": "Cherbourg"}),
        ),
        (
            "diagnostic-data-ia",
            "siret 21270681600015, on peut avoir le diagnostic ?",
            json!({"siret": "21270681600015", "department_code": "27", "organisation_kind": "local_authority"}),
        ),
        (
            "diagnostic-data-ia",
            "nous ne sommes pas une association mais une entreprise",
            json!({"organisation_kind": "company"}),
        ),
        (
            "diagnostic-data-ia",
            "We are a company with 45 employees in Caen, founded in 2010",
            json!({"organisation_kind": "company", "headcount_fte": 45, "created_on": "2010", "commune": "Caen"}),
        ),
        (
            "booster-ia",
            "notre projet de chatbot durera quatre mois",
            json!({"project_uses_ai": true, "duration_months": 4}),
        ),
        (
            "booster-ia",
            "notre projet d’IA durera huit semaines",
            json!({"project_uses_ai": true, "duration_months": 1.84}),
        ),
        (
            "booster-ia",
            "nous n’avons pas de projet d’IA, c’est un site web",
            json!({"project_uses_ai": false}),
        ),
        (
            "booster-ia",
            "nous menons le projet avec l’université de Caen",
            json!({"normandy_structure_count": 2}),
        ),
        (
            "booster-ia",
            "nous sommes trois structures normandes dans le projet",
            json!({"normandy_structure_count": 3}),
        ),
        (
            "booster-ia",
            "nous menons le projet avec deux partenaires normands",
            json!({"normandy_structure_count": 3}),
        ),
        (
            "booster-ia",
            "notre projet est porté avec une société parisienne",
            json!({"normandy_structure_count": 1}),
        ),
        (
            "booster-ia",
            "nous sommes seuls, sans partenaire",
            json!({"normandy_structure_count": 1}),
        ),
        (
            "booster-ia",
            "notre projet coûte 20 000 € de prestations",
            json!({"budget": [{"kind": "services", "label": "prestations", "amount_eur": 20000}]}),
        ),
        (
            "booster-ia",
            "notre budget : 8 000 € de licences et 3 000 de serveurs",
            json!({"budget": [{"kind": "licences", "label": "licences", "amount_eur": 8000}, {"kind": "equipment", "label": "serveurs", "amount_eur": 3000}]}),
        ),
        (
            "booster-ia",
            "notre projet coûte 24 000 € TTC",
            json!({"budget": null}),
        ),
        (
            "datathon-normandie",
            "nous sommes une équipe de six étudiants",
            json!({"team_size": 6, "organisation_kind": "individual"}),
        ),
        (
            "datathon-normandie",
            "on sera quatre dans l’équipe",
            json!({"team_size": 4}),
        ),
    ];
    let mut wrong = Vec::new();
    for (programme, said, expected) in cases {
        let name = match programme {
            "booster-ia" => "Booster IA",
            "datathon-normandie" => "Datathon Normandie",
            _ => "Diagnostic Data/IA",
        };
        let message = format!("{name} : {said}");
        let answer = told(&[&message]).remove(0);
        for (fact, value) in expected.as_object().expect("facts") {
            let known = &answer.known[fact];
            let same = known == value || known.as_f64().is_some_and(|k| Some(k) == value.as_f64());
            if !same {
                wrong.push(format!("{said} — {fact}: {known}, not {value}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fact_is_shown_back_with_its_words_and_the_last_one_said_is_right() {
    let answers = told(&[
        "Diagnostic Data/IA : notre entreprise industrielle de Flers, créée en 2003, compte 45 salariés",
        "en fait nous sommes 9",
    ]);
    let shown = answers[0]
        .facts
        .iter()
        .find(|f| f.fact == "headcount_fte")
        .expect("the headcount");
    assert_eq!(
        (shown.words.as_str(), shown.value.as_str()),
        ("45 salariés", "45\u{a0}ETP")
    );
    assert!(
        answers[0].markdown().contains("« 45 salariés »"),
        "{}",
        answers[0].markdown()
    );
    assert_eq!(verdict(&answers[0]), "eligible");
    assert_eq!(verdict(&answers[1]), "not_eligible");
    assert_eq!(answers[1].known["headcount_fte"], 9);
    assert_eq!(answers[1].known["created_on"], "2003", "the rest is kept");
}

#[test]
fn what_is_vague_near_a_bound_or_impossible_is_asked_again() {
    let answers = told(&[
        "Diagnostic Data/IA : notre entreprise industrielle de Flers, créée en 2003, compte une dizaine de salariés",
        "11",
    ]);
    let text = answers[0].markdown();
    assert!(
        text.contains("« une dizaine de salariés »") && text.contains("10 et 250"),
        "{text}"
    );
    assert_eq!(verdict(&answers[0]), "undetermined");
    assert_eq!(verdict(&answers[1]), "eligible");

    for (said, fact) in [
        (
            "Diagnostic Data/IA : notre entreprise a 10 milliards de salariés",
            "headcount_fte",
        ),
        (
            "Booster IA : notre projet d’IA durera -3 mois",
            "duration_months",
        ),
        (
            "Diagnostic Data/IA : notre mairie, SIRET 21270681600016",
            "siret",
        ),
        (
            "Diagnostic Data/IA : notre entreprise, créée le 30/02/2019",
            "created_on",
        ),
    ] {
        let answer = told(&[said]).remove(0);
        assert!(answer.known[fact].is_null(), "{said}: {}", answer.known);
        assert_ne!(
            verdict(&answer),
            "not_eligible",
            "{said}: {}",
            answer.markdown()
        );
    }
}

#[test]
fn a_contradiction_is_said_and_neither_side_of_it_is_taken() {
    let answer =
        told(&["Diagnostic Data/IA : nous sommes la mairie d’Alençon, département 14"]).remove(0);
    assert!(
        answer.known["commune"].is_null() && answer.known["department_code"].is_null(),
        "{}",
        answer.known
    );
    assert!(
        answer.markdown().contains("Alençon"),
        "{}",
        answer.markdown()
    );
    assert_eq!(verdict(&answer), "undetermined");
}

#[test]
fn the_next_question_is_the_one_that_decides_most_and_facts_serve_the_other_programmes() {
    let answers = told(&[
        "Puis-je avoir Booster IA ? Je dirige une entreprise à Rouen",
        "oui, un chatbot",
        "avec l’INSA Rouen",
        "je ne sais pas encore",
        "et le Diagnostic Data/IA ?",
    ]);
    let missing = |answer: &Answer| {
        answer
            .eligibility
            .as_ref()
            .map(|v| v["missing"].clone())
            .unwrap_or_default()
    };
    assert!(
        answers[0].clarifies && answers[0].markdown().trim_end().ends_with('?'),
        "{}",
        answers[0].markdown()
    );
    assert_eq!(
        answers[2].known["normandy_structure_count"],
        2,
        "{}",
        answers[2].markdown()
    );
    assert_eq!(
        missing(&answers[2]),
        json!(["duration_months"]),
        "{}",
        answers[2].markdown()
    );
    assert!(
        !answers[3].markdown().trim_end().ends_with('?'),
        "not asked twice: {}",
        answers[3].markdown()
    );
    let last = answers[4].eligibility.as_ref().expect("a verdict");
    assert_eq!(last["programme"], "diagnostic-data-ia");
    assert!(
        !missing(&answers[4])
            .as_array()
            .expect("a list")
            .contains(&json!("organisation_kind")),
        "{last}"
    );
}

#[test]
fn a_question_in_between_is_answered_and_the_conversation_goes_on() {
    let answers = told(&[
        "Diagnostic Data/IA : on est une société de services à Évreux créée en 2010, on peut l’avoir ?",
        "Combien de temps dure le diagnostic ?",
        "32 ETP",
    ]);
    assert!(
        answers[1].markdown().contains("jours"),
        "{}",
        answers[1].markdown()
    );
    assert_eq!(
        verdict(&answers[1]),
        "undetermined",
        "it stands beside the answer"
    );
    assert_eq!(
        verdict(&answers[2]),
        "eligible",
        "{}",
        answers[2].markdown()
    );
}

#[test]
fn what_is_said_of_data_or_of_others_is_no_fact() {
    for said in [
        "Où trouver les données des bornes de recharge à Caen ?",
        "Quelles communes de plus de 10 000 habitants sont dans le catalogue ?",
        "Qui a voté la délibération ?",
    ] {
        let answer = told(&[said]).remove(0);
        assert_eq!(answer.known, json!({}), "{said}");
        assert!(answer.eligibility.is_none(), "{said}");
    }
}
