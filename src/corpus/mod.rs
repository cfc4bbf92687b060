//! What we know, as data: read, typed and checked at once.
//!
//! `corpus/` is the only place where a rule, an amount or a date may live. This module turns its
//! files into typed values (`programme`, `page`, `record`, …) and into the [`Passage`]s that are
//! indexed and cited, and reports every fault of every file together, with its line. It holds no
//! opinion on questions: matching them is the business of `index` and `answer`.

mod act;
mod check;
mod coverage;
mod facts;
mod fault;
mod kept;
mod knowledge;
mod likeness;
mod page;
mod passage;
mod programme;
mod quotations;
mod record;
mod rules;
mod sentences;
mod source;
mod statement;
mod telling;
mod territory;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::text::fold::{Phrase, without};

pub use act::ActText;
pub use coverage::{Coverage, SectionCoverage, Sentences, State, coverage};
pub use facts::{FactEntry, FactList, FactValue, Framing, euros, number};
pub use fault::{Fault, Faults};
pub use kept::{forget_others, keep, kept};
pub use knowledge::{Channels, Cues, Messages, Phrasing, Theme, Themes, Topic, Wanted, Weights};
pub use page::Page;
pub use passage::{Kind, Passage, PassageId, Quotation};
pub use programme::{Programme, ProgrammeKind, Section};
pub use record::Record;
pub use rules::{
    Activity, Aid, CostKind, Covered, Criterion, DeMinimis, Door, Fact, Gives, Grid, GridCriterion,
    OrganisationKind, Pair, Rule, Rules, Sentence, Source as RuleSource, Test, ToCheck, Wordings,
};
pub use source::{Source, SourceKind};
pub use statement::{Day, Prose};
pub use telling::Telling;
pub use territory::{Body, Commune, Department, Found, Norman, Public, Territory};

/// Everything known, in memory, unchanged while the process lives.
#[derive(Debug)]
pub struct Corpus {
    /// Where locators resolve: the act, regulations, portals, the assistant itself.
    pub sources: Vec<Source>,
    /// The programmes, in the order of their file names.
    pub programmes: Vec<Programme>,
    /// Pages of prose: roadmap, actors, guides, the assistant, what is not ours.
    pub pages: Vec<Page>,
    /// The catalogue, sorted by id.
    pub records: Vec<Record>,
    /// The citable points of programmes and pages; the position is the point's number in the index.
    pub passages: Vec<Passage>,
    /// How people ask, and the passage that answers.
    pub phrasings: Vec<Phrasing>,
    /// How people say that they need what the catalogue holds, by theme.
    pub themes: Themes,
    /// Aspects by id, with their names for people.
    pub topics: HashMap<String, Topic>,
    /// What we say when we greet, refuse, fail, ask back.
    pub messages: Messages,
    /// Words that tell what is being asked for.
    pub cues: Cues,
    /// Words by which people tell facts of themselves.
    pub telling: Telling,
    /// Weights and thresholds of retrieval.
    pub weights: Weights,
    /// The rules of the programmes, in the same order.
    pub rules: Vec<Rules>,
    /// The facts that rules read, for people.
    pub facts: FactList,
    /// What a verdict says around the rules' wordings.
    pub framing: Framing,
    /// SHA-256 of all that the index is made from, in hexadecimal.
    pub digest: String,
    /// The themes of each record.
    record_themes: Vec<Vec<usize>>,
    home: PathBuf,
    /// Read when a place is first asked for.
    territory: OnceLock<Result<Territory, Faults>>,
    by_id: HashMap<PassageId, usize>,
    /// Names of programmes and pages, longest first.
    names: Vec<Phrase>,
}

impl Corpus {
    /// Reads and checks `corpus/` under `home`.
    ///
    /// # Errors
    /// [`Faults`]: every fault of every file, sorted by file and line.
    pub fn read(home: &Path) -> Result<Self, Faults> {
        Self::read_beside(home, None).map(|(corpus, _)| corpus)
    }

    /// Reads and checks `corpus/` and, given the act's text, compares quotations, and the sentences that rules
    /// encode, with it.
    ///
    /// # Errors
    /// [`Faults`]: every fault of every file and every difference, sorted by file and line.
    pub fn read_beside(home: &Path, act: Option<&[u8]>) -> Result<(Self, Option<ActText>), Faults> {
        let mut faults = Faults::default();
        let mut corpus = Self::gather(home, &mut faults);
        corpus.rules = rules::compile(&corpus, &mut faults);
        check::all(&corpus, &mut faults);
        let mut text = None;
        if let (Some(bytes), Some(source)) = (act, corpus.act()) {
            text = ActText::read(source, bytes, &mut faults);
            if let Some(text) = &text {
                quotations::compare(&corpus, source, text, &mut faults);
            }
        }
        if faults.is_empty() {
            Ok((corpus, text))
        } else {
            Err(faults.sorted())
        }
    }

    fn gather(home: &Path, faults: &mut Faults) -> Self {
        let dir = &home.join("corpus");
        let sources: Vec<Source> = each_toml(&dir.join("sources"), faults);
        let programmes: Vec<Programme> = each_toml(&dir.join("programmes"), faults);
        let mut pages = Vec::new();
        for (folder, kind) in [
            ("roadmap", Kind::Page),
            ("guides", Kind::Guide),
            ("assistant", Kind::Assistant),
            ("elsewhere", Kind::Elsewhere),
        ] {
            for (name, text) in files(&dir.join(folder), "md", faults) {
                pages.extend(page::read(&format!("{folder}/{name}"), &text, kind, faults));
            }
        }
        let mut records = Vec::new();
        for (name, text) in files(&dir.join("catalogue"), "jsonl", faults) {
            records.extend(record::read(&format!("catalogue/{name}"), &text, faults));
        }
        let passages = passage::compile(&programmes, &pages, &sources, faults);
        let by_id: HashMap<PassageId, usize> = passages
            .iter()
            .enumerate()
            .map(|(i, p)| (p.id.clone(), i))
            .collect();
        let mut phrasings = Vec::new();
        for (name, text) in files(&dir.join("questions"), "toml", faults) {
            knowledge::phrasings(
                &format!("questions/{name}"),
                &text,
                &by_id,
                &mut phrasings,
                faults,
            );
        }
        let themes: Themes = one_toml(dir, "themes.toml", faults);
        let theme_of = |r: &Record| themes.of(r.theme.as_deref().unwrap_or_default()).collect();
        let record_themes = records.iter().map(theme_of).collect();
        let topics = one_toml(dir, "topics.toml", faults);
        let messages = one_toml(dir, "messages.toml", faults);
        let cues = one_toml(dir, "cues.toml", faults);
        let telling = one_toml(dir, "telling.toml", faults);
        let weights = one_toml(dir, "weights.toml", faults);
        let facts = one_toml(dir, "facts.toml", faults);
        let framing = one_toml(dir, "eligibility.toml", faults);
        let aliases = programmes
            .iter()
            .flat_map(|p| &p.aliases)
            .chain(pages.iter().flat_map(|p| &p.aliases));
        let mut names: Vec<Phrase> = aliases.cloned().collect();
        names.sort_by(|a, b| b.words().len().cmp(&a.words().len()).then(a.cmp(b)));
        let digest = digest(&passages, &phrasings, &themes, &records, &names);
        Self {
            sources,
            programmes,
            pages,
            records,
            passages,
            phrasings,
            themes,
            record_themes,
            topics,
            messages,
            cues,
            telling,
            weights,
            rules: Vec::new(),
            facts,
            framing,
            digest,
            home: home.to_owned(),
            territory: OnceLock::new(),
            by_id,
            names,
        }
    }

    /// A text without the names of programmes and pages: what it says whatever it is about.
    #[must_use]
    pub fn without_names(&self, text: &str) -> String {
        without(text, &self.names)
    }

    /// Names of programmes and pages, longest first.
    #[must_use]
    pub fn names(&self) -> &[Phrase] {
        &self.names
    }

    /// Whether a passage tells what is wanted: a figure of the kind, or that there is none to pay, or none told.
    #[must_use]
    pub fn settles(&self, passage: &Passage, wanted: Wanted) -> bool {
        let topic = self.topics.get(&passage.topic);
        passage.tells(wanted)
            || passage.silent
            || passage.partial
            || topic.is_some_and(|t| t.settles.contains(&wanted))
    }

    /// The programme with this id.
    #[must_use]
    pub fn programme(&self, id: &str) -> Option<&Programme> {
        self.programmes.iter().find(|p| p.id == id)
    }

    /// The rules of the programme with this id.
    #[must_use]
    pub fn rules_of(&self, id: &str) -> Option<&Rules> {
        self.rules.iter().find(|r| r.programme == id)
    }

    /// Communes, departments and inter-municipal bodies, read the first time.
    ///
    /// # Errors
    /// [`Faults`]: each line of its files that does not read.
    pub fn territory(&self) -> Result<&Territory, &Faults> {
        self.territory
            .get_or_init(|| Territory::read(&self.home))
            .as_ref()
    }

    /// Checks what [`Corpus::read`] leaves for later: the territory, and the departments that rules name.
    ///
    /// # Errors
    /// [`Faults`]: all of them.
    pub fn check_places(&self) -> Result<(), Faults> {
        let territory = Territory::read(&self.home)?;
        let mut faults = Faults::default();
        sentences::check_places(self, &territory, &mut faults);
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.sorted())
        }
    }

    /// The record with this id.
    #[must_use]
    pub fn record(&self, id: &str) -> Option<&Record> {
        self.records.iter().find(|r| r.id == id)
    }

    /// The positions of the themes of the record at this position.
    #[must_use]
    pub fn themes_of(&self, record: usize) -> &[usize] {
        &self.record_themes[record]
    }

    /// The source with this id.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.iter().find(|s| s.id == id)
    }

    /// The passage with this id.
    #[must_use]
    pub fn passage(&self, id: &str) -> Option<&Passage> {
        self.by_id.get(id).map(|i| &self.passages[*i])
    }

    /// The position of a passage.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The page of this site on which a passage stands, as a path; empty when none shows it.
    #[must_use]
    pub fn page_of(&self, passage: &Passage) -> String {
        let anchor = passage.id.as_str().rsplit('/').next().unwrap_or_default();
        match passage.kind {
            Kind::Programme => format!("/aides/{}#{anchor}", passage.owner),
            Kind::Page => format!("/reperes/{}#{anchor}", passage.owner),
            Kind::Guide => format!("/guides/{}#{anchor}", passage.owner),
            Kind::Assistant => format!("/comment-ca-marche#{anchor}"),
            Kind::Elsewhere => String::new(),
        }
    }

    /// How many quotations of the act there are.
    #[must_use]
    pub fn quotations_of_the_act(&self) -> usize {
        let act = self.act().map(|a| &a.id);
        let of_the_act = self.passages.iter().filter(|p| Some(&p.source) == act);
        of_the_act.map(|p| p.quotations.len()).sum()
    }

    /// How many sentences of the act are listed beside rules.
    #[must_use]
    pub fn sentences_of_the_act(&self) -> usize {
        self.programmes.iter().map(|p| p.sentences.len()).sum()
    }

    /// The founding text.
    #[must_use]
    pub fn act(&self) -> Option<&Source> {
        self.sources.iter().find(|s| s.kind == SourceKind::Act)
    }
}

/// What the index is made from: a change here, and only here, makes a new generation due.
fn digest(
    passages: &[Passage],
    phrasings: &[Phrasing],
    themes: &Themes,
    records: &[Record],
    names: &[Phrase],
) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    };
    for passage in passages {
        add(passage.id.as_str());
        add(&passage.indexed_text());
        add(&passage.prose.en);
    }
    for phrasing in phrasings {
        add(&phrasing.text);
        add(&phrasing.passage.to_string());
    }
    for (theme, need) in themes.needs() {
        add(need);
        add(&themes.all()[theme].name);
    }
    for name in names {
        add(&name.words().join(" "));
    }
    for record in records {
        add(&record.id);
        add(&record.indexed_text());
    }
    hex(&hasher.finalize())
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The files of a folder with this extension, by name; a missing folder has none.
fn files(dir: &Path, extension: &str, faults: &mut Faults) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| Path::new(n).extension().is_some_and(|x| x == extension) && !n.starts_with('.'))
        .collect();
    names.sort();
    names
        .into_iter()
        .filter_map(|name| Some((text_of(dir, &name, faults)?, name)))
        .map(|(t, n)| (n, t))
        .collect()
}

fn text_of(dir: &Path, name: &str, faults: &mut Faults) -> Option<String> {
    let folder = dir
        .file_name()
        .filter(|n| *n != "corpus")
        .map(|n| format!("{}/", n.to_string_lossy()));
    let file = format!("{}{name}", folder.unwrap_or_default());
    let read = match fs::read(dir.join(name)) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
            let why = "le fichier n’est pas en UTF-8 ; enregistrez-le dans cet encodage";
            (Some(line), why.to_owned())
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err((None, "le fichier manque".to_owned()))
        }
        Err(e) => Err((None, format!("le fichier ne peut pas être lu ({e})"))),
    };
    read.map_err(|(line, why)| {
        faults.add(&file, line, why);
        faults.lose(&file);
    })
    .ok()
}

/// Each TOML file of a folder as one value, named after its file.
fn each_toml<T: serde::de::DeserializeOwned + Named>(dir: &Path, faults: &mut Faults) -> Vec<T> {
    let folder = dir
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut out = Vec::new();
    for (name, text) in files(dir, "toml", faults) {
        let file = format!("{folder}/{name}");
        match toml::from_str::<T>(&text) {
            Ok(mut value) => {
                if format!("{}.toml", value.file_stem()) != name {
                    faults.add(
                        &file,
                        Some(1),
                        format!(
                            "l’identifiant « {} » ne porte pas le nom du fichier",
                            value.file_stem()
                        ),
                    );
                }
                value.locate(&file, &text);
                out.push(value);
            }
            Err(e) => faults.add_toml(&file, &text, 0, &e),
        }
    }
    out
}

/// One TOML file of the corpus root; its default when it is faulty, so that the other faults show too.
fn one_toml<T: serde::de::DeserializeOwned + Default>(
    dir: &Path,
    name: &str,
    faults: &mut Faults,
) -> T {
    let Some(text) = text_of(dir, name, faults) else {
        return T::default();
    };
    toml::from_str(&text).unwrap_or_else(|e| {
        faults.add_toml(name, &text, 0, &e);
        T::default()
    })
}

/// A value that lives in a file of its own, named after its id.
trait Named {
    fn file_stem(&self) -> &str;
    /// Tells the value its file, so that later faults can name the line.
    fn locate(&mut self, file: &str, text: &str);
}
