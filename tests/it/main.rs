//! Stories, told through the public parts of the assistant.

mod encoder;
