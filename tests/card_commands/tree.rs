//! A system that is not there: `sys`, `proc` and `dev` as Linux has them, with a card in a slot.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// The slot, and the card in it.
pub const SLOT: &str = "sys/devices/pci0000:00/0000:00:01.0";
pub const CARD: &str = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0";

/// The directory that stands for `/`.
pub struct Tree(PathBuf);

impl Tree {
    /// A machine on which all is well, card 0 included.
    pub fn healthy(root: PathBuf) -> Tree {
        let tree = Tree(root);
        for (file, text) in [
            ("vendor", "0x10ee"),
            ("device", "0x9034"),
            ("current_link_speed", "8.0 GT/s PCIe"),
            ("current_link_width", "8"),
            ("max_link_speed", "8.0 GT/s PCIe"),
            ("max_link_width", "8"),
            ("hwmon/hwmon2/temp1_input", "51250"),
            ("hwmon/hwmon2/temp1_label", "FPGA"),
            ("hwmon/hwmon2/power1_input", "18500000"),
        ] {
            tree.write(&format!("{CARD}/{file}"), text);
        }
        for (file, text) in [
            ("vendor", "0x8086"),
            ("device", "0x1901"),
            ("max_link_speed", "16.0 GT/s PCIe"),
            ("max_link_width", "16"),
        ] {
            tree.write(&format!("{SLOT}/{file}"), text);
        }
        tree.link("../../../devices/pci0000:00/0000:00:01.0", "sys/bus/pci/devices/0000:00:01.0");
        tree.link(
            "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0",
            "sys/bus/pci/devices/0000:01:00.0",
        );
        tree.link("../../../../bus/pci/drivers/xdma", &format!("{CARD}/driver"));
        tree.link(
            "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0",
            "sys/class/xdma/xdma0_user/device",
        );
        tree.write("sys/module/xdma/version", "2020.2.2");
        tree.link("../../../bus/pci/drivers/xdma", "sys/module/xdma/drivers/pci:xdma");
        fs::create_dir_all(tree.path("sys/bus/pci/drivers/xdma")).unwrap();
        tree.write("sys/kernel/iommu_groups/14/type", "identity");
        tree.link("../../../../kernel/iommu_groups/14", &format!("{CARD}/iommu_group"));
        tree.write("proc/sys/kernel/osrelease", "6.8.0-45-generic");
        tree.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 iommu=pt");
        tree.write("dev/fuse", "");
        tree
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file of one line, in place of what is there.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    /// A link, in place of what is there.
    pub fn link(&self, to: &str, name: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(to, path).unwrap();
    }

    pub fn remove(&self, name: &str) {
        let path = self.path(name);
        match path.symlink_metadata().unwrap().is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
}
