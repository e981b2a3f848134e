//! The function that an attribute stands on: its signature parsed, its body kept as it is.

use darling::Result;
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Pat, PatIdent, PathArguments, ReturnType, Signature,
    Token, Type, TypeParamBound, Visibility,
};

use super::stack::Stack;
use crate::attribute::keys::Place;
use crate::diagnostics::rule;

/// A function, as written.
pub(super) struct Function {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) defaultness: Option<Token![default]>,
    pub(super) sig: Signature,
    /// Inner attributes of the body, to be put on the function.
    pub(super) inner: Vec<Attribute>,
    pub(super) body: Option<Group>,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        let sig = input.parse()?;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            return Ok(Self {
                attrs,
                vis,
                defaultness,
                sig,
                inner: Vec::new(),
                body: None,
            });
        }
        let body = match input.parse()? {
            TokenTree::Group(group) => visible(group),
            token => {
                return Err(syn::Error::new(
                    token.span(),
                    "expected the function's body",
                ));
            }
        };
        if body.delimiter() != Delimiter::Brace {
            return Err(syn::Error::new(body.span(), "expected the function's body"));
        }
        let (inner, rest) = syn::parse::Parser::parse2(inner_and_rest, body.stream())?;
        let mut bare = Group::new(Delimiter::Brace, rest);
        bare.set_span(body.span());
        Ok(Self {
            attrs,
            vis,
            defaultness,
            sig,
            inner,
            body: Some(bare),
        })
    }
}

/// A block that comes out of a user's own `macro_rules` is wrapped in an invisible group.
fn visible(group: Group) -> Group {
    if group.delimiter() != Delimiter::None {
        return group;
    }
    let mut inner = group.stream().into_iter();
    match (inner.next(), inner.next()) {
        (Some(TokenTree::Group(only)), None) => visible(only),
        _ => group,
    }
}

fn inner_and_rest(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

/// How a body runs.
pub(super) enum Mode {
    Sync,
    Async,
    /// The body ends with an `async` block, as `#[async_trait]` leaves it: only the inside of the
    /// block is guarded.
    Block(Block),
}

impl Mode {
    /// Whether the receiver has another name within the body.
    pub(super) fn renames_receiver(&self) -> bool {
        let Self::Block(block) = self else {
            return false;
        };
        let mut moves = block.moves.clone().into_iter();
        moves.any(|token| is_ident(Some(&token), "__self"))
    }
}

/// The parts of a body that ends with an `async` block.
pub(super) struct Block {
    /// What comes before it, and what wraps it: `Box::pin`.
    pub(super) before: TokenStream,
    pub(super) wrap: Option<TokenStream>,
    /// `async move`, or `async`.
    pub(super) head: TokenStream,
    /// Leading statements that move arguments in: they run once.
    pub(super) moves: TokenStream,
}

/// A function with what is known of it, fit to be guarded.
pub(super) struct Guarded {
    pub(super) mode: Mode,
    /// What runs for each attempt.
    pub(super) body: TokenStream,
    /// The `Result` that it returns, with `_` for each `impl Trait`.
    pub(super) result: Type,
    /// Where it stands.
    pub(super) result_span: Span,
}

impl Function {
    /// What is needed to guard it, or the first reason why it cannot be.
    pub(super) fn resolve(&self, place: Place) -> Result<Guarded> {
        let name = place.name();
        if let Some(constness) = &self.sig.constness {
            return Err(rule!(
                const_fn,
                constness.span(),
                "{name} cannot guard a `const fn`: it reads clocks and counts; remove `const`"
            ));
        }
        let Some(body) = &self.body else {
            return Err(rule!(
                no_body,
                self.sig.ident.span(),
                "{name} needs a body to guard; put it on the method of the impl"
            ));
        };
        let ReturnType::Type(_, output) = &self.sig.output else {
            return Err(rule!(
                no_result,
                self.sig.ident.span(),
                "{name} needs a `Result` to tell success from failure; let `{}` return one",
                self.sig.ident
            ));
        };
        let guarded = |mode, body, result: &Type| Guarded {
            mode,
            body,
            result: erased(result),
            result_span: result.span(),
        };
        if self.sig.asyncness.is_some() {
            return Ok(guarded(Mode::Async, body.stream(), output));
        }
        let Some(result) = future_output(output) else {
            return Ok(guarded(Mode::Sync, body.stream(), output));
        };
        match block(&body.stream()) {
            Some((block, inside)) => {
                let wrap = block.wrap.iter().find_map(find_return);
                if let Some(early) = find_return(&block.before).or(wrap) {
                    return Err(rule!(
                        early_future,
                        early,
                        "{name} guards the `async` block at the end alone, not what is returned here; write an `async fn`, or move this into the block"
                    ));
                }
                Ok(guarded(Mode::Block(block), inside, &result))
            }
            None => Err(rule!(
                future_without_block,
                self.sig.ident.span(),
                "{name} cannot see into the future that `{}` returns; write an `async fn`, or end the body with `async move {{ … }}`",
                self.sig.ident
            )),
        }
    }

    /// The names of the arguments.
    pub(super) fn arguments(&self) -> Vec<Ident> {
        let receiver = self.sig.receiver();
        let receiver = receiver.map(|receiver| Ident::new("self", receiver.span()));
        let bindings = self.bindings().into_iter().map(|binding| &binding.ident);
        receiver.into_iter().chain(bindings.cloned()).collect()
    }

    /// What the arguments bind, but `self`.
    pub(super) fn bindings(&self) -> Vec<&PatIdent> {
        let mut bindings = Vec::new();
        for argument in &self.sig.inputs {
            if let FnArg::Typed(typed) = argument {
                bound(&typed.pat, &mut bindings);
            }
        }
        bindings
    }

    /// Takes the `mut` off an argument.
    pub(super) fn freeze(&mut self, name: &Ident) {
        for argument in &mut self.sig.inputs {
            if let FnArg::Typed(typed) = argument {
                freeze(&mut typed.pat, name);
            }
        }
    }

    /// The function without the attributes that were taken off, of which marks are left.
    pub(super) fn as_written(&self, stack: &Stack) -> TokenStream {
        match &self.body {
            Some(body) => {
                let (marks, body) = (stack.marks(), body.stream());
                self.with_body(&quote!(#marks #body))
            }
            None => {
                let (marks, head) = (stack.mark_attributes(), self.head());
                quote!(#marks #head;)
            }
        }
    }

    /// The function with another body.
    pub(super) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let mut tokens = self.head();
        let mut group = Group::new(Delimiter::Brace, body.clone());
        if let Some(braces) = &self.body {
            group.set_span(braces.span());
        }
        TokenTree::Group(group).to_tokens(&mut tokens);
        tokens
    }

    /// All that comes before the body.
    fn head(&self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in &self.attrs {
            attr.to_tokens(&mut tokens);
        }
        for attr in &self.inner {
            let mut outer = attr.clone();
            outer.style = syn::AttrStyle::Outer;
            outer.to_tokens(&mut tokens);
        }
        self.vis.to_tokens(&mut tokens);
        self.defaultness.to_tokens(&mut tokens);
        self.sig.to_tokens(&mut tokens);
        tokens
    }
}

/// The word that says what an item is: what follows its attributes and its visibility.
pub(super) fn keyword(item: &TokenStream) -> Span {
    let head = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let keyword = input.span();
        input.parse::<TokenStream>()?;
        Ok(keyword)
    };
    syn::parse::Parser::parse2(head, item.clone()).unwrap_or_else(|_| Span::call_site())
}

/// What a pattern binds, as far as arguments have it.
fn bound<'p>(pat: &'p Pat, bindings: &mut Vec<&'p PatIdent>) {
    match pat {
        Pat::Ident(binding) => {
            bindings.push(binding);
            if let Some((_, pat)) = &binding.subpat {
                bound(pat, bindings);
            }
        }
        Pat::Tuple(of) => of.elems.iter().for_each(|pat| bound(pat, bindings)),
        Pat::TupleStruct(of) => of.elems.iter().for_each(|pat| bound(pat, bindings)),
        Pat::Slice(of) => of.elems.iter().for_each(|pat| bound(pat, bindings)),
        Pat::Struct(of) => of
            .fields
            .iter()
            .for_each(|field| bound(&field.pat, bindings)),
        Pat::Reference(of) => bound(&of.pat, bindings),
        Pat::Paren(of) => bound(&of.pat, bindings),
        _ => {}
    }
}

fn freeze(pat: &mut Pat, name: &Ident) {
    match pat {
        Pat::Ident(binding) => {
            if binding.ident == *name {
                binding.mutability = None;
            }
            if let Some((_, pat)) = &mut binding.subpat {
                freeze(pat, name);
            }
        }
        Pat::Tuple(of) => of.elems.iter_mut().for_each(|pat| freeze(pat, name)),
        Pat::TupleStruct(of) => of.elems.iter_mut().for_each(|pat| freeze(pat, name)),
        Pat::Slice(of) => of.elems.iter_mut().for_each(|pat| freeze(pat, name)),
        Pat::Struct(of) => of
            .fields
            .iter_mut()
            .for_each(|field| freeze(&mut field.pat, name)),
        Pat::Reference(of) => freeze(&mut of.pat, name),
        Pat::Paren(of) => freeze(&mut of.pat, name),
        _ => {}
    }
}

/// The type with `_` for each `impl Trait`, which may not stand in a `let`.
fn erased(ty: &Type) -> Type {
    let mut ty = ty.clone();
    erase(&mut ty);
    ty
}

fn erase(ty: &mut Type) {
    match ty {
        Type::ImplTrait(of) => {
            *ty = Type::Infer(syn::TypeInfer {
                attrs: Vec::new(),
                underscore_token: Token![_](of.span()),
            });
        }
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(ty) = argument {
                            erase(ty);
                        }
                    }
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
        Type::Reference(of) => erase(&mut of.elem),
        Type::Paren(of) => erase(&mut of.elem),
        Type::Group(of) => erase(&mut of.elem),
        Type::Array(of) => erase(&mut of.elem),
        Type::Slice(of) => erase(&mut of.elem),
        Type::Ptr(of) => erase(&mut of.elem),
        _ => {}
    }
}

/// The output of a returned future: `impl Future<Output = X>`, or one in a `Pin<Box<dyn …>>`.
fn future_output(ty: &Type) -> Option<Type> {
    match ty {
        Type::ImplTrait(of) => output_of(&of.bounds),
        Type::TraitObject(of) => output_of(&of.bounds),
        Type::Paren(of) => future_output(&of.elem),
        Type::Group(of) => future_output(&of.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            if last.ident != "Pin" && last.ident != "Box" {
                return None;
            }
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return None;
            };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => future_output(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

fn output_of(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        if last.ident != "Future" {
            return None;
        }
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(of) if of.ident == "Output" => Some(of.ty.clone()),
            _ => None,
        })
    })
}

/// A body that ends with `async move { … }`, alone or as the argument of `Box::pin`, and what is inside.
fn block(body: &TokenStream) -> Option<(Block, TokenStream)> {
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    if let Some((head, inside)) = async_block(&tokens) {
        let before = tokens[..head.start].iter().cloned().collect();
        let block = Block {
            before,
            wrap: None,
            head: tokens[head].iter().cloned().collect(),
            moves: TokenStream::new(),
        };
        return Some((block, inside));
    }
    let [before @ .., TokenTree::Group(arguments)] = tokens.as_slice() else {
        return None;
    };
    if arguments.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    // `Box::pin`, however it is written: what comes after the last statement.
    let end_of_statements = before
        .iter()
        .rposition(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'))
        .map_or(0, |at| at + 1);
    let pins = matches!(before.last(), Some(TokenTree::Ident(pin)) if pin == "pin");
    let inner: Vec<TokenTree> = arguments.stream().into_iter().collect();
    let (head, inside) = async_block(&inner)?;
    if !pins || head.start != 0 {
        return None;
    }
    let inside: Vec<TokenTree> = inside.into_iter().collect();
    let moves = leading_moves(&inside);
    let block = Block {
        before: before[..end_of_statements].iter().cloned().collect(),
        wrap: Some(before[end_of_statements..].iter().cloned().collect()),
        head: inner[head].iter().cloned().collect(),
        moves: inside[..moves].iter().cloned().collect(),
    };
    Some((block, inside[moves..].iter().cloned().collect()))
}

/// The range of `async move`, and the block after it, at the end of the tokens.
fn async_block(tokens: &[TokenTree]) -> Option<(std::ops::Range<usize>, TokenStream)> {
    let (TokenTree::Group(block), before) = tokens.split_last()? else {
        return None;
    };
    if block.delimiter() != Delimiter::Brace {
        return None;
    }
    let moved = usize::from(is_ident(before.last(), "move"));
    let start = before.len().checked_sub(1 + moved)?;
    is_ident(before.get(start), "async").then(|| (start..before.len(), block.stream()))
}

/// Where a function is left before its last block.
fn find_return(tokens: &TokenStream) -> Option<Span> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "return" => Some(word.span()),
        TokenTree::Group(group) => find_return(&group.stream()),
        _ => None,
    })
}

/// How many tokens at the start move arguments into the block, as `#[async_trait]` writes it:
/// `if let Some(__ret) = None::<…> { … }`, then `let name = name;` and, for a pattern,
/// `let (a, b) = { let __arg1 = __arg1; __arg1 };`. They must run once, not for each attempt. What a
/// user writes by hand looks otherwise, and is all body.
fn leading_moves(tokens: &[TokenTree]) -> usize {
    let mut at = return_type_hint(tokens).unwrap_or(0);
    if at == 0 && !(is_ident(tokens.first(), "let") && is_ident(tokens.get(1), "__self")) {
        return 0;
    }
    while let Some(length) = move_statement(&tokens[at..]) {
        at += length;
    }
    at
}

/// The number of tokens of `if let ::core::option::Option::Some(__ret) = … { … }`.
fn return_type_hint(tokens: &[TokenTree]) -> Option<usize> {
    let is_group = |token: &&TokenTree, delimiter| matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter);
    let block = tokens
        .iter()
        .position(|token| is_group(&token, Delimiter::Brace))?;
    let pattern = tokens[..block]
        .iter()
        .find(|token| is_group(token, Delimiter::Parenthesis))?;
    let binds_ret =
        matches!(pattern, TokenTree::Group(group) if group.stream().to_string() == "__ret");
    let hint = is_ident(tokens.first(), "if") && is_ident(tokens.get(1), "let") && binds_ret;
    hint.then_some(block + 1)
}

/// The number of tokens of a statement that only gives an argument another place.
fn move_statement(tokens: &[TokenTree]) -> Option<usize> {
    let end = tokens.iter().position(|token| is_punct(Some(token), ';'))?;
    // `#[cfg(…)]` may stand before it.
    let mut start = 0;
    while is_punct(tokens.get(start), '#') {
        start += 2;
    }
    if !is_ident(tokens.get(start), "let") || !is_punct(tokens.get(end.checked_sub(2)?), '=') {
        return None;
    }
    let pattern = tokens.get(start + 1..end - 2)?;
    let moves = match (pattern, &tokens[end - 1]) {
        ([.., TokenTree::Ident(to)], TokenTree::Ident(from)) => to == from || to == "__self",
        (_, TokenTree::Group(group)) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            move_statement(&inner) == inner.len().checked_sub(1)
        }
        _ => false,
    };
    moves.then_some(end + 1)
}

fn is_ident(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}
