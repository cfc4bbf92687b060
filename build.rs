//! Takes htmx, a dependency like any other, and hands it to the compiler to embed.
//!
//! It is looked for in `node_modules/htmx.org`, then in the folder named by `ASSISTANT_HTMX_DIR`,
//! then asked of `npm`, at the version that `package.json` names and `package-lock.json` seals.
//! Without it the build goes on with a warning: the pages are then plain forms. Nothing here fails
//! a build, and nothing waits longer than [`PATIENCE`].

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// What is embedded, in the order in which it must run: the core, then its extensions.
const SCRIPTS: [&str; 3] = ["htmx.min.js", "ext/hx-sse.min.js", "ext/hx-csp.min.js"];

/// How long `npm` may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=package.json");
    println!("cargo:rerun-if-changed=package-lock.json");
    println!("cargo:rerun-if-env-changed=ASSISTANT_HTMX_DIR");
    // `sqlx::migrate!` embeds this folder, and would not see a file that is new in it.
    println!("cargo:rerun-if-changed=migrations");
    // A path that does not exist would have cargo run this at every build.
    if Path::new("node_modules").exists() {
        println!("cargo:rerun-if-changed=node_modules/htmx.org/package.json");
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_else(|| ".".into()));
    let found = from_folder(Path::new("node_modules/htmx.org"))
        .or_else(|| env::var_os("ASSISTANT_HTMX_DIR").and_then(|dir| from_folder(Path::new(&dir))))
        .or_else(|| from_npm(&out));
    let (version, script) = found.unwrap_or_else(|| {
        println!(
            "cargo:warning=htmx was not found: the pages will work as plain forms. To have it, run \
             `npm ci --ignore-scripts` here, or set ASSISTANT_HTMX_DIR to an unpacked htmx.org, and touch build.rs"
        );
        Default::default()
    });
    if let Err(error) = fs::write(out.join("htmx.js"), script) {
        println!("cargo:warning=htmx could not be written: {error}");
    }
    println!("cargo:rustc-env=ASSISTANT_HTMX_VERSION={version}");
}

/// The version and the scripts of an unpacked package, or of its `dist` folder.
fn from_folder(package: &Path) -> Option<(String, String)> {
    let dist = [package.join("dist"), package.to_owned()]
        .into_iter()
        .find(|d| d.join(SCRIPTS[0]).is_file())?;
    let mut script = String::new();
    for name in SCRIPTS {
        script.push_str(&fs::read_to_string(dist.join(name)).ok()?);
        script.push_str(";\n");
    }
    let version = between(&script, "version=\"", "\"")?;
    if !version.starts_with("4.") {
        println!(
            "cargo:warning=htmx {version} in {} is not used: version 4 is needed",
            package.display()
        );
        return None;
    }
    Some((version, script))
}

/// The package as `npm` installs it into the build folder, once.
fn from_npm(out: &Path) -> Option<(String, String)> {
    let folder = out.join("npm");
    let package = folder.join("node_modules/htmx.org");
    let wanted = between(
        &fs::read_to_string("package.json").ok()?,
        "\"htmx.org\": \"",
        "\"",
    )?;
    if let Some(found) = from_folder(&package).filter(|(version, _)| *version == wanted) {
        return Some(found);
    }
    fs::create_dir_all(&folder).ok()?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(name, folder.join(name)).ok()?;
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut install = Command::new(npm)
        .args([
            "ci",
            "--ignore-scripts",
            "--omit-lockfile-registry-resolved",
            "--no-audit",
            "--no-fund",
        ])
        .args([
            "--prefer-offline",
            "--fetch-retries=0",
            "--fetch-timeout=20000",
            "--loglevel=error",
        ])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while install.try_wait().ok()?.is_none() {
        if started.elapsed() > PATIENCE {
            println!(
                "cargo:warning=npm took longer than {} s to give htmx",
                PATIENCE.as_secs()
            );
            let _ = install.kill();
            let _ = install.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(50));
    }
    from_folder(&package)
}

/// What stands between two marks, the first time.
fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let from = text.find(before)? + before.len();
    let length = text[from..].find(after)?;
    Some(text[from..from + length].to_owned())
}
