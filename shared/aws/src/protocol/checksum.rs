//! The checksum that some operations demand of their body.

use super::{Request, scalar};

/// Adds `x-amz-checksum-crc32`, which S3 takes in the place of `Content-MD5` ("Checking object integrity").
pub(super) fn add(request: &mut Request) {
    let given = |name: &str| name.eq_ignore_ascii_case("content-md5") || is_checksum(name);
    if request.headers.iter().any(|(name, _)| given(name)) {
        return;
    }
    let sum = scalar::base64(&crc32(&request.body).to_be_bytes());
    if request.header("x-amz-sdk-checksum-algorithm").is_none() {
        request.set_header("x-amz-sdk-checksum-algorithm", "CRC32");
    }
    request.set_header("x-amz-checksum-crc32", sum);
}

fn is_checksum(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("x-amz-checksum-")
}

/// CRC-32 as in ISO 3309, bit by bit: the bodies are a few kilobytes.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_everybody_computes() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
