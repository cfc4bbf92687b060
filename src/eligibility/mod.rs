//! Am I eligible? Rules × facts × a day → a verdict that explains itself.
//!
//! Pure: no file, no network, no clock; what rules say is data of the corpus. [`verdict`] is the one way
//! in, for the chat, the pages, the console and the API. What is not known stays unknown: it never
//! becomes "no", and what only a person at the Région can settle never enters the verdict.

mod aid;
mod assess;
mod facts;
mod logic;
mod minimis;
mod money;
mod outlook;
mod verdict;

pub use aid::{AidGiven, AidLine};
pub use assess::Status;
pub use facts::{
    FactFault, Facts, Line, NormanPlace, Place, Precision, PublicBody, Refused, Span, siret,
};
pub use logic::Truth;
pub use minimis::{DatedAid, Declared, rolling_total};
pub use money::Cents;
pub use verdict::{
    Answer, Case, Change, Cited, Judged, Lead, OtherDoor, Outcome, Question, Record, Suggestion,
    Verdict, verdict,
};

pub(crate) use outlook::faults_of;
