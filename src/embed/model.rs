//! The folder of a model: its `model.toml`, typed, and the proof that its files are the ones it
//! names.
//!
//! It deliberately does not know what a tensor or a token is (`bert.rs`, `mod.rs`), and downloads
//! nothing: a damaged folder is reported with the way to restore it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Role;

/// What a model is, for whoever only uses its vectors: the index manifest, `assistant models list`,
/// `/health`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCard {
    /// Name of the model, as in `model.toml`.
    pub name: String,
    /// SHA-256 of `model.toml`, 64 lowercase hex digits. As `model.toml` carries the SHA-256 of
    /// each file, two folders with one digest give the same vectors.
    pub digest: String,
    /// Length of a vector.
    pub dimensions: usize,
    /// Longest text, in tokens, prefix and `<s>` `</s>` included; what follows is not read.
    pub max_tokens: usize,
    /// ISO 639-1 codes of the languages the vocabulary was kept for.
    pub languages: Vec<String>,
    /// SPDX identifier of the licence of the weights.
    pub licence: String,
    /// Where the model comes from: free keys of the table `[origin]`.
    pub origin: BTreeMap<String, String>,
    /// Size of the weights and tokenizer together, in bytes.
    pub bytes: u64,
}

/// Why a model folder cannot be used: one line in French that names the file and the remedy.
#[derive(thiserror::Error, Debug)]
pub enum FolderError {
    /// A file, or the folder, cannot be read.
    #[error("{} illisible ({cause}) ; {}", path.display(), remedy(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// `model.toml` is not what we expect of one.
    #[error("{}{} : {cause} ; {}", path.display(), at_line(*line), remedy(path))]
    Manifest {
        /// The `model.toml`.
        path: PathBuf,
        /// Line of the mistake, from 1, where known.
        line: Option<usize>,
        /// What is wrong.
        cause: String,
    },
    /// A file has not the size that `model.toml` gives.
    #[error("{} {} ; {}", path.display(), wrong_size(*found, *expected), remedy(path))]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size, in bytes.
        found: u64,
        /// The size announced, in bytes.
        expected: u64,
    },
    /// A file has the right size and another content.
    #[error("{} altéré : empreinte SHA-256 inattendue ; {}", path.display(), remedy(path))]
    Digest {
        /// The file.
        path: PathBuf,
    },
}

/// Every model found in `models_dir`, by name of folder: its card once its files are verified, or
/// what is wrong with it.
///
/// Folders without `model.toml` are passed over; a `models_dir` that cannot be read is the single
/// error of the list.
pub fn list(models_dir: &Path) -> Vec<Result<ModelCard, FolderError>> {
    let entries = match fs::read_dir(models_dir) {
        Ok(entries) => entries,
        Err(cause) => {
            return vec![Err(FolderError::Unreadable {
                path: models_dir.to_owned(),
                cause,
            })];
        }
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("model.toml").is_file())
        .collect();
    folders.sort();
    folders
        .iter()
        .map(|dir| Folder::read(dir).map(|folder| folder.card))
        .collect()
}

/// A verified folder, its files in memory: the bytes that were verified are the bytes that are
/// used.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) manifest: Manifest,
    pub(super) card: ModelCard,
    pub(super) weights: Vec<u8>,
    pub(super) tokenizer: Vec<u8>,
}

impl Folder {
    pub(super) fn read(dir: &Path) -> Result<Folder, FolderError> {
        let path = dir.join("model.toml");
        let text = fs::read_to_string(&path).map_err(|cause| FolderError::Unreadable {
            path: path.clone(),
            cause,
        })?;
        let manifest = Manifest::parse(&text)
            .map_err(|Mistake { line, cause }| FolderError::Manifest { path, line, cause })?;
        let weights = manifest.files.weights.read(dir)?;
        let tokenizer = manifest.files.tokenizer.read(dir)?;
        let card = ModelCard {
            name: manifest.name.clone(),
            digest: hex(&Sha256::digest(&text)),
            dimensions: manifest.hidden_size,
            max_tokens: manifest.max_tokens,
            languages: manifest.languages.clone(),
            licence: manifest.licence.clone(),
            origin: manifest.origin.clone(),
            bytes: manifest.files.weights.bytes + manifest.files.tokenizer.bytes,
        };
        Ok(Folder {
            manifest,
            card,
            weights,
            tokenizer,
        })
    }
}

/// `model.toml`, key by key; an unknown key is refused, as it may change what the vectors mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) name: String,
    #[expect(
        dead_code,
        reason = "the enum has one variant: parsing it is the check"
    )]
    architecture: Architecture,
    /// Length of the vector of a token, and of a text.
    pub(super) hidden_size: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) intermediate_size: usize,
    /// Longest sequence, in tokens: the number of positions.
    pub(super) max_tokens: usize,
    pub(super) layer_norm_eps: f64,
    #[expect(
        dead_code,
        reason = "the enum has one variant: parsing it is the check"
    )]
    activation: Activation,
    /// Number of pieces of the tokenizer, special ones included.
    pub(super) vocab_size: usize,
    #[expect(
        dead_code,
        reason = "the enum has one variant: parsing it is the check"
    )]
    pooling: Pooling,
    /// Whether the vectors are brought to length 1. All of ours are: cosines are compared as dot
    /// products.
    normalize: bool,
    pub(super) languages: Vec<String>,
    pub(super) licence: String,
    pub(super) prefixes: Prefixes,
    #[serde(default)]
    pub(super) origin: BTreeMap<String, String>,
    pub(super) files: Files,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Architecture {
    Bert,
}

/// `gelu` is the exact one, with the error function.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Activation {
    Gelu,
}

/// `mean` over every token of the text, `<s>` and `</s>` included.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Pooling {
    Mean,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prefixes {
    query: String,
    passage: String,
}

impl Prefixes {
    pub(super) fn of(&self, role: Role) -> &str {
        match role {
            Role::Query => &self.query,
            Role::Passage => &self.passage,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    pub(super) weights: FileEntry,
    pub(super) tokenizer: FileEntry,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntry {
    pub(super) path: String,
    sha256: String,
    bytes: u64,
}

impl FileEntry {
    /// Reads the file and checks it; the size is looked at before the content, so that a wrong one
    /// costs nothing.
    fn read(&self, dir: &Path) -> Result<Vec<u8>, FolderError> {
        let path = dir.join(&self.path);
        let unreadable = |cause| FolderError::Unreadable {
            path: path.clone(),
            cause,
        };
        let size = |found| FolderError::Size {
            path: path.clone(),
            found,
            expected: self.bytes,
        };
        let found = fs::metadata(&path).map_err(unreadable)?.len();
        if found != self.bytes {
            return Err(size(found));
        }
        let content = fs::read(&path).map_err(unreadable)?;
        if content.len() as u64 != self.bytes {
            return Err(size(content.len() as u64));
        }
        if !hex(&Sha256::digest(&content)).eq_ignore_ascii_case(&self.sha256) {
            return Err(FolderError::Digest { path });
        }
        Ok(content)
    }
}

struct Mistake {
    line: Option<usize>,
    cause: String,
}

impl Manifest {
    fn parse(text: &str) -> Result<Manifest, Mistake> {
        let manifest: Manifest = toml::from_str(text).map_err(|error| Mistake {
            line: error
                .span()
                .map(|span| 1 + text[..span.start].matches('\n').count()),
            // The message alone: its `Display` draws the line over several others.
            cause: error.message().replace('\n', ", "),
        })?;
        match manifest.inconsistency() {
            Some(cause) => Err(Mistake { line: None, cause }),
            None => Ok(manifest),
        }
    }

    fn inconsistency(&self) -> Option<String> {
        let plain_name = |path: &str| Path::new(path).file_name().is_some_and(|name| name == path);
        if self.heads == 0 || self.hidden_size == 0 || !self.hidden_size.is_multiple_of(self.heads)
        {
            Some(format!(
                "hidden_size ({}) n'est pas un multiple de heads ({})",
                self.hidden_size, self.heads
            ))
        } else if self.max_tokens < 3 {
            Some(format!(
                "max_tokens ({}) ne laisse la place d'aucun mot",
                self.max_tokens
            ))
        } else if !self.normalize {
            Some("normalize = false n'est pas pris en charge".to_owned())
        } else {
            [&self.files.weights, &self.files.tokenizer]
                .into_iter()
                .find(|file| !plain_name(&file.path))
                .map(|file| {
                    format!(
                        "« {} » n'est pas un nom de fichier de ce dossier",
                        file.path
                    )
                })
        }
    }
}

fn remedy(path: &Path) -> String {
    format!(
        "restaurez le fichier, par exemple avec « git checkout -- {} »",
        path.display()
    )
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", ligne {line}"))
        .unwrap_or_default()
}

fn wrong_size(found: u64, expected: u64) -> String {
    let how = if found < expected {
        "tronqué"
    } else {
        "trop long"
    };
    format!(
        "{how} : {} octets au lieu de {}",
        grouped(found),
        grouped(expected)
    )
}

/// 1234567 → `1 234 567`, with no-break spaces.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: &[u8] = b"weights";
    const TOKENIZER: &[u8] = b"tokenizer";

    fn manifest() -> String {
        format!(
            r#"
name = "small"
architecture = "bert"
hidden_size = 64
layers = 1
heads = 2
intermediate_size = 128
max_tokens = 512
layer_norm_eps = 1e-12
activation = "gelu"
vocab_size = 10
pooling = "mean"
normalize = true
languages = ["fr"]
licence = "MIT"
[prefixes]
query = "query: "
passage = "passage: "
[origin]
model = "here/small"
[files]
weights = {{ path = "weights.gguf", sha256 = "{}", bytes = {} }}
tokenizer = {{ path = "tokenizer.json", sha256 = "{}", bytes = {} }}
"#,
            hex(&Sha256::digest(WEIGHTS)),
            WEIGHTS.len(),
            hex(&Sha256::digest(TOKENIZER)),
            TOKENIZER.len()
        )
    }

    fn folder(dir: &Path, manifest: &str) {
        fs::create_dir_all(dir).expect("a temporary folder can be written");
        for (name, content) in [
            ("model.toml", manifest.as_bytes()),
            ("weights.gguf", WEIGHTS),
            ("tokenizer.json", TOKENIZER),
        ] {
            fs::write(dir.join(name), content).expect("a temporary file can be written");
        }
    }

    #[test]
    fn each_way_a_folder_can_be_wrong_has_its_line() {
        let cases: &[(&str, &str, &str)] = &[
            ("layers = 1", "layers = 1\ncouches = 2", "ligne 6"),
            ("\"bert\"", "\"xlnet\"", "ligne 3"),
            (
                "heads = 2",
                "heads = 3",
                "n'est pas un multiple de heads (3)",
            ),
            ("normalize = true", "normalize = false", "normalize"),
            (
                "\"weights.gguf\"",
                "\"../weights.gguf\"",
                "n'est pas un nom de fichier de ce dossier",
            ),
            (
                "\"weights.gguf\"",
                "\"weights.bin\"",
                "weights.bin illisible",
            ),
            (
                "bytes = 7",
                "bytes = 1234567",
                "weights.gguf tronqué : 7 octets au lieu de 1\u{a0}234\u{a0}567",
            ),
            (
                "bytes = 7",
                "bytes = 6",
                "weights.gguf trop long : 7 octets au lieu de 6",
            ),
            ("bytes = 9", "bytes = 8", "tokenizer.json trop long"),
        ];
        for (from, to, expected) in cases {
            let dir = tempfile::tempdir().expect("a temporary folder can be made");
            folder(dir.path(), &manifest().replacen(from, to, 1));
            let line = Folder::read(dir.path())
                .expect_err("the folder is wrong")
                .to_string();
            assert!(
                line.contains(expected) && line.contains("git checkout"),
                "{to}: {line}"
            );
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn altered_content_of_the_right_size_is_seen() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        folder(dir.path(), &manifest());
        fs::write(dir.path().join("weights.gguf"), b"weighty")
            .expect("a temporary file can be written");
        let line = Folder::read(dir.path())
            .expect_err("the folder is wrong")
            .to_string();
        assert!(line.contains("weights.gguf altéré"), "{line}");
    }

    #[test]
    fn the_list_tells_good_folders_from_bad_ones() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        folder(&dir.path().join("a"), &manifest());
        folder(&dir.path().join("b"), &manifest().replace("bert", "bart"));
        fs::create_dir(dir.path().join("not-a-model")).expect("a temporary folder can be made");
        let models = list(dir.path());
        assert_eq!(models.len(), 2);
        let card = models[0].as_ref().expect("the first folder is right");
        assert_eq!(
            (card.name.as_str(), card.dimensions, card.bytes),
            ("small", 64, 16)
        );
        assert_eq!(card.digest, hex(&Sha256::digest(manifest())));
        assert!(models[1].is_err());
        assert!(list(&dir.path().join("absent"))[0].is_err());
    }
}
