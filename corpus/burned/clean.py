"""Images without writing, picked by eye: file name stems, and crops that leave film edges out."""

__all__ = ["CLEAN", "CROPS", "FILES"]


def _stems(text: str) -> frozenset[str]:
    return frozenset(text.split())


# the first eight characters of each file's name; everything else is taken to hold writing
CLEAN: dict[str, frozenset[str]] = {
    "brain_mri": _stems(
        """
        015017ad 0305db52 04cec528 04de1878 04dfd7ab 05057e18 050613e6 06aa4392 071a3eda
        08474525 09540986 0973100d 0a31acd3 0b043cc5 0b39e2da 0ba3911b 0d1b39aa 0f0733f2
        0f87533c 1034e43b 10dddd46 11874c36 11ac25a2 11daa149 127b70f0 12835b44 12ad04a4
        12dfd1c2 131024ee 131307de 14706b69 15c6d048 15cbe54b 17587dd3 184c129e 19b64d7a
        19ea17be 1ad6b91d 1af1f1e4 1bee10d8 1c302dcf 1c3ea8f6 1c655495 1d23ff8b 1f3b0459
        21a21162 231a7f3f 24001424 256bbe6f 28af0ef0 2999ef8f 2a7bf54e 2a8de037 2c8e2e75
        2cb12d04 2cf81810 2daae9b1
        """
    ),
    "spine_mri": _stems(
        """
        013b6cf2 088c3f9f 370a61ea 4388da9e 4fc5edb3 76b5abbf 89f91372 96351928 a1f3b04f
        a4183fa8 b08b12c1 b10c433d b917d94e bc02393b c2e9d8af cda6df19 dc808bee ded87c57
        dffe6eca fa12f9cd fa8efde8
        """
    ),
    "ct_slices": _stems(
        """
        006ffcbb 02e331fd 197a2ce9 19fbbf1f 1c9eeb8e 21d53d98 37b5a89e 3a187433 3af4f72f
        428e6032 6134b817 837b5582 88635c8b 96086831 9f1736c9 ac06b206 b18c8837 b8f1fd70
        c3c0b26d c686a35a d2a0c691 e76ff594 ed1c39d5
        """
    ),
    "head_ct": _stems(
        """
        3182a3d7 71fac42e 93786aff c6b83857 cdad2b4e d34ce676 f0914fc9
        """
    ),
    "tbx11k_tb": _stems(
        """
        016ca94a 04d87a81 0842b2c1 0d97b400 18e2021b 24d4ea88 29f6e250 2d727466 2db0ec48
        315fc48d 345c8ed7 352b81d2 3878d003 44d47212 467d062d 476a702f 4b6cc6d9 4c5b2e42
        4d37cfeb 4d5be5e6 4e803796 54cade65 56bdd09c 5a4df55d 5acdb887 62c42f8c 63a24b8d
        63b6b2f4 679a5728 7161e22b 746898f3 74f79ff2 77c5a73e 7ae20a98 7b4e98dc 7c4c064f
        7f7e60d1 8ca5a6b2 8e89c296 902e2b41 91c27298 96190ed4 966489bf 98ecec8f 9c313175
        """
    ),
    "mini_mias": _stems(
        """
        0c95d3ff 2292362d 2db81d38 3072add4 37e45b81 387c7d08 65f57904 69800985 6f551290
        760e03dc 87523943 89cb2477 91de6c89 b0b9639e ca8b9eb5 d2e6ce12 dc5767b0 e50a5be2
        ffce2ffb
        """
    ),
    "busi": _stems(
        """
        00666823 023a30de 05a08cc4 08b39a89 098265ec 0ea1bf13 166ca9fd 170681b4 19b0984e
        19c58318 1af43d5a 1d9b71ba 1ee415c9 2293837a 23d2422e 25ce1b90 28dd920e 2db21d5a
        367dadcf 377a96a0 37bd55a8 3f1cf677 45d98a56 45f16821 46270d88 478aff4c 4aad621b
        4bbeaf7c 4ccc91ed 512e2ba7 53402f00 58315866 669dad4b 708aa4c7 70d012f1
        """
    ),
    "dental": _stems(
        """
        03f9cea5 04a80889 b025dfe8 b824fc01 b84be993 bda3df6b d9a2959c
        """
    ),
    "retina": _stems(
        """
        08a02560 08aa3dc6 7cd5d636 a3f00cb6 a6ba1ea4 ac8055e1
        """
    ),
}
# top, bottom, left, right as shares of the image
CROPS: dict[str, tuple[float, float, float, float]] = {
    "busi": (0.08, 0.97, 0.06, 0.97),
    "tbx11k_tb": (0.04, 0.97, 0.05, 0.95),
    "mini_mias": (0.03, 0.97, 0.03, 0.97),
    "head_ct": (0.02, 0.98, 0.06, 0.94),
    "dental": (0.04, 0.9, 0.04, 0.96),
}
# objects of the given folder without writing: file, modality, crop in pixels
FILES: tuple[tuple[str, str, tuple[int, int, int, int] | None], ...] = (
    ("pydicom+pydicom-data__data_store__data__emri_small_jpeg_ls_lossless.dcm", "MR", None),
    ("robyoung+dicom-test-files__data__WG04__J2KI__MR1_J2KI", "MR", None),
    ("FNNDSC+data__dicom__rsna_2__PET__000002.dcm", "NM", None),
    ("ImagingDataCommons+highdicom__data__test_files__dx_image.dcm", "DX", None),
    (
        (
            "cornerstonejs+cornerstone3D__packages__dicomImageLoader__examplesOld__test-images__"
            "CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm"
        ),
        "CT",
        None,
    ),
    ("pydicom+pylibjpeg-data__ljdata__ds__JPEGExtended__RG2_JPLY_fixed.dcm", "CR", None),
    ("pydicom+pydicom-data__data_store__data__RG3_J2KI.dcm", "CR", (0, 1100, 0, 1700)),
    ("pydicom+pynetdicom__pynetdicom__tests__dicom_files__RTImageStorage.dcm", "DX", None),
)
