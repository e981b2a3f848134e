//! What can be said on the command line.

/// `--port PORT`, `--stay`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    /// 0: one that is free.
    pub(crate) port: u16,
    /// Go on after the tour.
    pub(crate) stay: bool,
}

impl Arguments {
    pub(crate) fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--stay" => arguments.stay = true,
                "--port" => {
                    let port = given.next().ok_or("`--port` needs a number after it")?;
                    let number = port.parse().ok();
                    arguments.port = number.ok_or(format!("`{port}` is not a port"))?;
                }
                _ => {
                    return Err(format!(
                        "unknown argument `{argument}`; there are `--port PORT` and `--stay`"
                    ));
                }
            }
        }
        Ok(arguments)
    }
}
