//! The `pulse` program: everything it does is in the library.

fn main() -> std::process::ExitCode {
    pulse_cli::main()
}
