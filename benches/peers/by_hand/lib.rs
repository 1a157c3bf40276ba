//! The hand-written loops as C functions, for a library built apart.

#[path = "../../workloads/by_hand.rs"]
mod loops;

/// # Safety
/// The pointers are those of arrays of the given lengths, of `width + 1`
/// parameters and of as many components of the gradient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn by_hand_logistic(
    x: *const f64,
    y: *const f64,
    rows: usize,
    width: usize,
    parameters: *const f64,
    gradient: *mut f64,
) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe {
        loops::logistic(
            std::slice::from_raw_parts(x, rows * width),
            std::slice::from_raw_parts(y, rows),
            std::slice::from_raw_parts(parameters, width + 1),
            std::slice::from_raw_parts_mut(gradient, width + 1),
        )
    }
}

/// # Safety
/// The pointers are those of arrays of 2, 3 and 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn by_hand_row(
    x: *const [f64; 2],
    y: f64,
    p: *const [f64; 3],
    gradient: *mut f64,
) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe { loops::logistic_row(&*x, y, &*p, std::slice::from_raw_parts_mut(gradient, 3)) }
}

/// # Safety
/// The pointers are those of arrays of the given lengths.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn by_hand_chain(
    x: *const f64,
    len: usize,
    kept: *mut [f64; 5],
    cycles: usize,
    gradient: *mut f64,
) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe {
        loops::chain(
            std::slice::from_raw_parts(x, len),
            std::slice::from_raw_parts_mut(kept, cycles),
            std::slice::from_raw_parts_mut(gradient, len),
        )
    }
}

/// # Safety
/// The pointers are those of arrays of the given length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn by_hand_rosenbrock(x: *const f64, len: usize, gradient: *mut f64) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe {
        loops::rosenbrock(
            std::slice::from_raw_parts(x, len),
            std::slice::from_raw_parts_mut(gradient, len),
        )
    }
}

/// # Safety
/// The pointers are those of arrays: all parameters, `count` samples, and as
/// many components of the gradient as there are parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn by_hand_network(
    p: *const f64,
    samples: *const [f64; 3],
    count: usize,
    gradient: *mut f64,
) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe {
        loops::network(
            std::slice::from_raw_parts(p, loops::PARAMETERS),
            std::slice::from_raw_parts(samples, count),
            std::slice::from_raw_parts_mut(gradient, loops::PARAMETERS),
        )
    }
}
