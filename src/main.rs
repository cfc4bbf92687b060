//! The program `assistant`.

use std::process::ExitCode;

fn main() -> ExitCode {
    assistant::cli::main()
}
