//! Crates that are generated to be compiled, in a folder that goes away afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::command::{cargo, output};

pub struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// The same versions of dependencies as the other benchmarks have, as far as those have them.
    pub fn new(name: &str, crates: &[Crate]) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let workspace = Self { folder };
        let members: Vec<_> = crates.iter().map(|of| format!("{:?}", of.name)).collect();
        workspace.write(
            "Cargo.toml",
            &format!(
                "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
                members.join(", ")
            ),
        )?;
        for Crate {
            name,
            dependencies,
            source,
        } in crates
        {
            workspace.write(
                &format!("{name}/Cargo.toml"),
                &format!(
                    "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n"
                ),
            )?;
            workspace.write(&format!("{name}/src/lib.rs"), source)?;
        }
        fs::copy(
            benches().join("Cargo.lock"),
            workspace.folder.join("Cargo.lock"),
        )?;
        workspace.fetch()?;
        Ok(workspace)
    }

    /// Of everything that the crates need, once; what is timed afterwards is offline.
    fn fetch(&self) -> Result<()> {
        let mut online = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        online.arg("fetch").current_dir(&self.folder);
        output(online)?;
        Ok(())
    }

    pub fn cargo(&self, target: &str, arguments: &[&str]) -> Command {
        cargo(&self.folder, &self.target(target), arguments)
    }

    pub fn forget_target(&self, target: &str) -> Result<()> {
        let target = self.target(target);
        if target.exists() {
            fs::remove_dir_all(target)?;
        }
        Ok(())
    }

    /// Makes cargo take the crate for changed.
    pub fn touch(&self, name: &str) -> Result<()> {
        let file = fs::File::options()
            .append(true)
            .open(self.folder.join(name).join("src/lib.rs"))?;
        file.set_modified(std::time::SystemTime::now())?;
        Ok(())
    }

    fn target(&self, name: &str) -> PathBuf {
        self.folder.join("target").join(name)
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
        Ok(())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Left behind it would cost only room in the temporary folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub struct Crate {
    pub name: &'static str,
    pub dependencies: String,
    pub source: String,
}

/// The dependency on this library, with these features besides the default ones.
pub fn runtime(features: &[&str]) -> String {
    let path = benches().join("../error-runtime");
    format!("error-runtime = {{ path = {path:?}, features = {features:?} }}")
}

/// The folder of this workspace.
fn benches() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}
