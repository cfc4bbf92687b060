//! The file of the database: opened when it is ours, whole, and of this version or an older one;
//! else refused and left as it is.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

/// Every version of the tables, oldest first.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// Marks a database of ours, where SQLite keeps such marks: "DNa1".
const APPLICATION_ID: i64 = 0x444E_6131;
/// How any SQLite file begins.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// A page, in bytes: small, for each row begins with a filler of this length (see the migrations).
const PAGE: u32 = 1024;
/// How long to wait for another program that holds the database, a backup for instance.
const BUSY: Duration = Duration::from_secs(1);

/// Opens the database, made if it is missing, and brings its tables up to date.
///
/// # Errors
/// One line in French that says what to do.
pub(super) async fn open(path: &Path, max_mib: u64) -> anyhow::Result<SqliteConnection> {
    take(path)?;
    let mut connection = connect(path, max_mib)
        .await
        .map_err(|e| unusable(path, e))?;
    let tables = check(path, &mut connection).await?;
    if tables == 0 {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "PRAGMA application_id = {APPLICATION_ID}"
        )))
        .execute(&mut connection)
        .await
        .map_err(|e| unusable(path, e))?;
    }
    // Only now that the file is known to be ours: this changes it.
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode = WAL")
        .fetch_one(&mut connection)
        .await
        .map_err(|e| unusable(path, e))?;
    if mode != "wal" {
        bail!(
            "le dossier de {} ne permet pas le journal de SQLite (dossier réseau ?) ; donnez-en un du disque local avec --data-dir",
            path.display()
        );
    }
    match MIGRATIONS.run(&mut connection).await {
        Ok(()) => Ok(connection),
        Err(MigrateError::VersionMissing(version)) => Err(newer(path, version)),
        Err(MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _)) => {
            Err(unusable(path, e))
        }
        Err(e) => Err(anyhow!(e).context(format!(
            "les tables de {} ne sont pas celles de ce programme ; {MOVE_ASIDE}",
            path.display()
        ))),
    }
}

/// Connects to the database as it was opened, with what a connection has of its own.
pub(super) async fn connect(path: &Path, max_mib: u64) -> sqlx::Result<SqliteConnection> {
    // A turn is worth no wait for the disk: NORMAL loses the last ones to a power cut, never the
    // file. What is owed before it is acknowledged needs a connection of its own, with FULL.
    options(path)
        .synchronous(SqliteSynchronous::Normal)
        .page_size(PAGE)
        .pragma("secure_delete", "ON")
        .pragma(
            "max_page_count",
            (max_mib * 1024 * 1024 / u64::from(PAGE)).to_string(),
        )
        .connect()
        .await
}

/// Says in French what a database holds, or what is wrong with it and what to do. Changes nothing.
///
/// # Errors
/// What is wrong.
pub fn inspect(path: &Path) -> Result<String, String> {
    if !path.exists() {
        return Ok("sera créée au premier démarrage".to_owned());
    }
    let looked = async {
        accessible(path)?;
        // Without a log there is nothing but the file: it can be read without making one.
        let alone = std::fs::metadata(beside(path, "-wal")).map_or(true, |m| m.len() == 0);
        let options = options(path).read_only(true).immutable(alone);
        let mut connection = options.connect().await.map_err(|e| unusable(path, e))?;
        if check(path, &mut connection).await? == 0 {
            return Ok("vide".to_owned());
        }
        let newest: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&mut connection)
            .await
            .map_err(|e| unusable(path, e))?;
        let newest = newest.unwrap_or_default();
        if newest > 0 && !MIGRATIONS.version_exists(newest) {
            return Err(newer(path, newest));
        }
        let conversations: i64 = sqlx::query_scalar("SELECT count(*) FROM conversation")
            .fetch_one(&mut connection)
            .await
            .map_err(|e| unusable(path, e))?;
        connection.close().await.map_err(|e| unusable(path, e))?;
        Ok(format!(
            "saine, {conversations} conversation(s), version {newest}"
        ))
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(looked))
        .map_err(|e| format!("{e:#}"))
}

/// What both need: no statement in the logs, for it may hold a person's words.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// Makes the file if it is missing, and keeps it to this account: SQLite gives its log and its index
/// the same rights.
fn take(path: &Path) -> anyhow::Result<()> {
    let mut new = OpenOptions::new();
    new.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    match new.open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            close_to_others(&accessible(path)?, path)
        }
        Err(e) => Err(e).with_context(|| {
            format!(
                "{} ne peut pas être créé ; rendez le dossier modifiable par ce compte, ou donnez-en un autre avec --data-dir",
                path.display()
            )
        }),
    }
}

/// The file, which can be written and may be a database.
fn accessible(path: &Path) -> anyhow::Result<File> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| {
            format!(
                "{} ne peut pas être ouvert en écriture ; rendez-le modifiable par ce compte",
                path.display()
            )
        })?;
    let mut head = Vec::new();
    file.by_ref()
        .take(SQLITE_MAGIC.len() as u64)
        .read_to_end(&mut head)?;
    if !head.is_empty() && head != SQLITE_MAGIC {
        bail!(
            "{} n’est pas une base de données ; {MOVE_ASIDE}",
            path.display()
        );
    }
    Ok(file)
}

/// No other account may read what people asked, whatever the rights the file came with.
fn close_to_others(file: &File, path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode();
        if mode & 0o077 != 0 {
            file.set_permissions(PermissionsExt::from_mode(mode & 0o700))
                .with_context(|| {
                    format!(
                        "les droits de {} ne peuvent pas être réduits à ce compte",
                        path.display()
                    )
                })?;
        }
    }
    Ok(())
}

/// The database is whole, and ours if it holds anything; how many tables it has.
async fn check(path: &Path, connection: &mut SqliteConnection) -> anyhow::Result<i64> {
    let found = async {
        let id: i64 = sqlx::query_scalar("PRAGMA application_id")
            .fetch_one(&mut *connection)
            .await?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut *connection)
            .await?;
        let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(&mut *connection)
            .await?;
        sqlx::Result::Ok((id, tables, verdict))
    };
    let (id, tables, verdict) = found.await.map_err(|e| unusable(path, e))?;
    if tables > 0 && id != APPLICATION_ID {
        bail!(
            "{} est la base d’un autre programme ; {MOVE_ASIDE}",
            path.display()
        );
    }
    if verdict != "ok" {
        bail!("{} est abîmé ; {MOVE_ASIDE}", path.display());
    }
    Ok(tables)
}

/// What to do with a file that is of no use here.
const MOVE_ASIDE: &str = "déplacez-le (avec ses voisins en « -wal » et « -shm »), une base neuve sera créée au démarrage ; \
    rien n’a été effacé";

fn newer(path: &Path, version: i64) -> anyhow::Error {
    anyhow!(
        "{} vient d’une version plus récente de l’assistant (tables en version {version}) ; relancez cette version, ou {MOVE_ASIDE}",
        path.display()
    )
}

/// Why SQLite would not open or change the file.
fn unusable(path: &Path, error: sqlx::Error) -> anyhow::Error {
    let code = error
        .as_database_error()
        .and_then(|e| e.code())
        .and_then(|code| code.parse::<i32>().ok());
    // SQLite's primary codes stand in the lowest byte.
    let what = match code.map(|code| code & 0xff) {
        Some(5 | 6) => "est tenu par un autre programme ; arrêtez-le puis relancez".to_owned(),
        Some(8 | 14) => {
            "et son dossier doivent être modifiables par ce compte ; changez leurs droits, ou donnez --data-dir"
                .to_owned()
        }
        Some(10 | 13) => "ne peut pas être écrit : le disque est plein ou en panne ; faites de la place puis relancez".to_owned(),
        Some(11 | 26) => format!("est abîmé ; {MOVE_ASIDE}"),
        _ => "ne peut pas être ouvert".to_owned(),
    };
    anyhow!(error).context(format!("{} {what}", path.display()))
}

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
