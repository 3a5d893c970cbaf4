module lading.test/kind/runtime

go 1.26
