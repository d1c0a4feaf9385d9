// SPDX-License-Identifier: Apache-2.0

/// Names for services that were given none: `adjective_surname`.
enum NameGenerator {
  static func name(using generator: inout some RandomNumberGenerator) -> String {
    let adjective = adjectives[Int.random(in: adjectives.indices, using: &generator)]
    return adjective + "_" + surnames[Int.random(in: surnames.indices, using: &generator)]
  }

  private static let adjectives = words(
    """
    able agile airy amber ample ardent bold brave breezy bright brisk calm candid careful cheerful civil clever cosy crisp curious
    daring deft eager early earnest easy fair fancy fearless fine firm fleet fond frank free fresh friendly gentle glad golden good
    grand handy happy hardy hearty honest hopeful humble jolly keen kind lively lucid lucky merry mild modest neat nimble noble
    patient placid polite proud quick quiet rapid ready serene sharp silent smart sober solid sunny swift tidy tranquil true upbeat
    vivid warm wise witty zealous
    """)
  private static let surnames = words(
    """
    abel archimedes ardinghelli babbage banach bell bohr boole bose boyle brahe butler cauchy cerf chandrasekhar clarke cori curie
    dijkstra dirac easley einstein elion engelbart euclid euler faraday fermat fermi feynman franklin frisch galileo galois gauss
    germain goldberg hamilton hawking heisenberg hertz hodgkin hopper huber hypatia jackson joliot kalam kepler khorana kilby knuth
    kovalevskaya lalande lamarr lamport lavoisier leavitt liskov lovelace lumiere maxwell mayer mccarthy mcclintock meitner mendel
    merkle mirzakhani montalcini moser murdock neumann newton nightingale noether noyce pasteur payne perlman pike planck poincare
    ptolemy raman ramanujan ride ritchie rosalind rubin sammet shannon shaw swartz swirles tesla thompson torvalds tu turing volhard
    wescoff wiles wing wozniak wright yalow yonath
    """)

  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: \.isWhitespace).map(String.init)
  }
}
